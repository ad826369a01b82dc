# shellcheck shell=sh
# Takes from this host what is its own, so that an image of it holds nothing of that: run as root, over SSH, as the last
# thing before it is stopped. Fails, naming what is left.
set -eu

# What would write while it is cleaned, or when it is stopped. The journal goes on in memory.
systemctl list-units --all --plain --no-legend --full --state=active 'apt-daily*' 'apache2.service' 'mariadb.service' \
    'php*-fpm.service' 'cron.service' 'rsyslog.service' 'systemd-random-seed.service' |
    cut --delimiter=' ' --fields=1 | xargs --no-run-if-empty systemctl stop
journalctl --relinquish-var

# Identity: cloud-init makes new host keys for another instance, systemd a machine id where the file is empty.
rm -f /etc/ssh/ssh_host_* /var/lib/dbus/machine-id
truncate --size 0 /etc/machine-id
rm -rf /var/lib/cloud /var/lib/systemd/random-seed /var/lib/systemd/credential.secret /var/lib/dhcp/*

# Secrets and traces of people. The key of a certificate that nobody uses would be the same on every server.
rm -rf /root/.ssh /home/*/.ssh /root/.ansible /home/*/.ansible /root/.*history /home/*/.*history
rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
rm -f /etc/passwd- /etc/shadow- /etc/group- /etc/gshadow- /etc/subuid- /etc/subgid-

# What was needed on the way.
apt-get clean
rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/backups/*
find /tmp /var/tmp -mindepth 1 -xdev ! -path '/tmp/ansible_*' -delete # of which the one that runs this goes by itself

# Logs, last of all. Folders stay, for services do not make them.
rm -rf /var/log/journal/*
find /var/log -xdev ! -type d -delete

left=$(
    find /etc/machine-id -size +0
    find /etc/ssh /root /home /var/lib/apt/lists /var/log -xdev ! -type d \( -name 'ssh_host_*' -o -name authorized_keys \
        -o -name '.*history' -o -path '/var/lib/apt/lists/*' -o -path '/var/log/*' \)
)
test -z "$left" || { echo "This is left: $left" >&2; exit 1; }
sync
