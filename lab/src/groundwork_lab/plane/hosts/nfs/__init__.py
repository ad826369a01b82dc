"""The NFS client of a host: `mount.nfs4` in its image, a FUSE file system that speaks NFSv4.1.

The kernel of a machine need not have an NFS client, and a host could not load it. So the package is copied to the base
image (`image.recipe`), where `/sbin/mount.nfs4` runs it. It imports the standard library only, and itself by relative
imports, because it has another name there.

- `xdr`: the encoding of values, https://www.rfc-editor.org/rfc/rfc4506
- `session`: calls over TCP, sent again when the server was away, https://www.rfc-editor.org/rfc/rfc5531
- `operations`: the operations of NFSv4.1, https://www.rfc-editor.org/rfc/rfc8881
- `locks`: locks, and the state that they need
- `files`: what the kernel asks for, in the words of NFS
- `fuse`: the kernel's messages, include/uapi/linux/fuse.h
- `mount`: the command
"""
