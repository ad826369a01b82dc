"""NFS-Ganesha's configuration for one mount target. Pure functions.

Sources: ganesha-core-config(8), ganesha-export-config(8), ganesha-cache-config(8).
"""

from __future__ import annotations

from pathlib import Path

PORT = 2049
LEASE = 30  # seconds for which the state of a client that does not call is kept


def render(data: Path, folder: Path) -> str:
    """Return the configuration that serves the files in `data`. The server keeps its clients' names in `folder`.

    As EFS, it serves NFS 4.0 and 4.1 over TCP to all hosts, and lets root be root:
    https://docs.aws.amazon.com/efs/latest/ug/accessing-fs-nfs-permissions.html

    Several servers have the same files. So none of them caches attributes or folders, and locks are those of the
    kernel, which all of them see. There is no grace period, in which no lock is given after a start: clients take
    their locks again as new ones.
    """
    return f"""\
NFS_CORE_PARAM {{
  Protocols = 4;
  NFS_Port = {PORT};
  Enable_NLM = false;
  Enable_RQUOTA = false;
  Enable_UDP = false;
  mount_path_pseudo = true;
}}
NFSv4 {{
  Graceless = true;
  Minor_Versions = 0, 1;
  Delegations = false;
  RecoveryBackend = fs;
  RecoveryRoot = "{folder / "clients"}";
  Only_Numeric_Owners = true;
  Allow_Numeric_Owners = true;
  Lease_Lifetime = {LEASE};
}}
NFS_KRB5 {{ Active_krb5 = false; }}
MDCACHE {{ Dir_Chunk = 0; Entries_HWMark = 10000; }}
EXPORT_DEFAULTS {{ Attr_Expiration_Time = 0; }}
EXPORT {{
  Export_Id = 1;
  Path = "{data}";
  Pseudo = "/";
  Access_Type = RW;
  Squash = No_Root_Squash;
  SecType = sys;
  Protocols = 4;
  Transports = TCP;
  FSAL {{ Name = VFS; }}
}}
LOG {{ Default_Log_Level = WARN; }}
"""
