#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server
short_description: Configure a Debian server, its databases and its releases
description:
  - Configures packages, system accounts, files and services of a server, then the databases, users and grants of its
    MariaDB, then the releases of its sites. The module fails at the first part that fails.
  - Every file is checked before it is written. The daemons' validators run in a mount namespace that contains the new
    files, while the rest of the server still sees the old ones. When a service does not run with its new files, every
    file is restored, the service uses the old ones again, and the module fails with the end of the service's journal.
    Daemons of new packages do not start before they are configured.
  - The module connects to MariaDB as root through its unix socket, with the server's own client. It needs no Python
    driver and no password for root. It sends only the hash of a password, as MariaDB stores it, never as an argument of
    a command. Root can log in by the socket only, and anonymous users and an empty database C(test) are removed.
    Declared users can log in from their declared hosts only. Undeclared users and databases stay.
  - With O(databases.server) it connects to a managed MariaDB instead, with TLS and a password, which is in an option
    file in memory meanwhile.
  - Releases of sites are at C(<path>/releases/<id>), and C(<path>/current) is a link to the one that is served. Only a
    release that the server does not have is uploaded, in a second module run. It is unpacked beside the others, renamed
    when it is complete, and made current in one step. Every archive is checked by the rules of
    M(groundwork.aws.release_archives) before it is unpacked. The services are reloaded after the switch. If one fails,
    the previous releases are made current again.
  - Then the pages of all sites are requested on this server, even when nothing changed. When one is not answered as
    expected the module fails with the last lines of the site's logs. The release of the site is taken back when the
    page was answered as expected before the switch. Otherwise no release is taken back.
  - A site can write to its shared and writable folders, O(releases[].folders), and to nothing else of a release.
  - A new server has a file C(<path>/.unready) for each site until its pages are answered as expected. The role lamp
    configures Apache so that load balancers send no requests to the server while the file exists.
  - The next run completes an interrupted one, including pending reloads of services.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  name:
    description: The name of the server, for messages.
    type: str
    default: ""
  planned:
    description:
      - Whether the server does not exist yet. The module then reports what it would do on a server on which nothing is
        installed. It runs on the controller, without a connection and without a module run.
    type: bool
    default: false
  notes:
    description: Messages that the action plugin on the controller shows as warnings.
    type: list
    elements: str
    default: []
  configuration:
    description: Packages, accounts, files and services. Not changed without this option.
    type: dict
    suboptions:
      name:
        description: Distinguishes several configurations of one server.
        type: str
        default: groundwork
      packages:
        description: Debian packages to install. Recommended packages are not installed.
        type: list
        elements: str
        default: []
      accounts:
        description: System accounts, each with its own group, without a shell and without a password.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The name of the account and of its group.
            type: str
            required: true
          home:
            description: The account's home. The folder is not created.
            type: path
            required: true
          members:
            description: Other accounts that belong to its group.
            type: list
            elements: str
            default: []
          uid:
            description: The number of a new account and of its group. By default, and if it is taken, any number.
            type: int
          require_uid:
            description: Whether the module fails if the account cannot have this number, or exists with another one.
            type: bool
            default: false
          reload:
            description: Services to reload when the account or its group changes.
            type: list
            elements: str
            default: []
      files:
        description: Files, links and folders. The parent of each must exist, or precede it in the list.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The absolute path.
            type: path
            required: true
          state:
            description:
              - What is at the path.
              - A folder is never replaced or removed.
            type: str
            choices: [file, link, directory, absent]
            default: file
          content:
            description:
              - The content of a file.
              - A secret is given by a placeholder, C(@groundwork(parameter:/path)@), and its value in O(secrets). Such
                a file is not shown in differences.
              - C(@groundwork(parameter:/path|php-fpm)@) is the value in quotes for the file of a php-fpm pool. C(|php)
                is a string of a PHP script, and C(|dotenv) a value of a C(.env) file.
              - C(@groundwork(parameter:/path|environment)@) is the value in quotes for a file of environment variables,
                which systemd and a shell read.
            type: str
          target:
            description: The target of a link.
            type: str
          owner:
            description: The owner of a file or folder.
            type: str
            default: root
          group:
            description: The group of a file or folder.
            type: str
            default: root
          mode:
            description:
              - The mode in octal digits, V(0644) for a file and V(0755) for a folder by default.
              - The content of a file that others cannot read is not shown in differences.
            type: str
          reload:
            description: Services to reload when the item changes.
            type: list
            elements: str
            default: []
          restart:
            description: Services to restart when the item changes.
            type: list
            elements: str
            default: []
      purge:
        description: Patterns of managed files. A file that matches one and is not in O(configuration.files) is removed.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: A path, which can contain wildcards.
            type: path
            required: true
          reload:
            description: Services to reload when a file is removed.
            type: list
            elements: str
            default: []
          restart:
            description: Services to restart when a file is removed.
            type: list
            elements: str
            default: []
      includes:
        description:
          - Patterns of files that daemons include. A file that matches one, and is neither in O(configuration.files)
            nor part of a package, could override the configuration. It is renamed to C(<name>.set-aside), which no
            daemon includes.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: A path whose last part can contain wildcards.
            type: path
            required: true
          keep:
            description: Patterns of paths of files that stay.
            type: list
            elements: str
            default: []
          reload:
            description: Services to reload when a file is set aside.
            type: list
            elements: str
            default: []
          restart:
            description: Services to restart when a file is set aside.
            type: list
            elements: str
            default: []
      validators:
        description: The daemons' checks of their configuration. They see the new files below C(/etc).
        type: list
        elements: dict
        default: []
        suboptions:
          argv:
            description: The command and its arguments.
            type: list
            elements: str
            required: true
          services:
            description: The services. The validator runs when a change affects one of them.
            type: list
            elements: str
            required: true
          refuse:
            description: A regular expression. A line of the command's output that it matches counts as a refusal.
            type: str
      services:
        description: systemd services.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The unit's name, without C(.service). The name of a timer has its suffix C(.timer).
            type: str
            required: true
          state:
            description:
              - Whether it runs. A service that is not installed counts as stopped.
              - V(unchanged) leaves it as it is, running or not, enabled or not. If an item changes that restarts it, it
                is restarted if it runs.
            type: str
            choices: [started, stopped, unchanged]
            default: started
          enabled:
            description: Whether it starts with the server.
            type: bool
            default: true
          check:
            description:
              - A command that succeeds while the service has the effect that it should have, for a unit without a
                daemon. If the service is active and the command fails, the service is reloaded.
            type: list
            elements: str
            default: []
      purge_services:
        description:
          - Patterns of names of services that earlier runs created, as V(groundwork-*@*). A service that matches one,
            runs and is not in O(configuration.services) is stopped.
        type: list
        elements: str
        default: []
  databases:
    description: Databases, users and grants of MariaDB. Not changed without this option.
    type: dict
    suboptions:
      socket:
        description: The server's unix socket.
        type: path
        default: /run/mysqld/mysqld.sock
      server:
        description:
          - A managed MariaDB, on which the databases, users and grants are made in place of the server's own. The
            module connects with TLS, and verifies the name in the certificate. It needs the client C(mariadb).
          - Users get all privileges on their databases that the master user of Amazon RDS can grant. Accounts of other
            users stay.
        type: dict
        suboptions:
          host:
            description: The name of the server, as in its certificate.
            type: str
            required: true
          port:
            description: The TCP port.
            type: int
            default: 3306
          user:
            description: The name of the master user.
            type: str
            required: true
          password:
            description: The placeholder for the password of the master user, C(@groundwork(parameter:/path)@).
            type: str
            required: true
          authorities:
            description: The file with the certificate authorities, in PEM.
            type: path
            required: true
      databases:
        description: The databases.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Lower case letters, digits and underscores.
            type: str
            required: true
          character_set:
            description: The character set of new tables.
            type: str
            default: utf8mb4
          collation:
            description: The collation of new tables.
            type: str
            default: utf8mb4_unicode_ci
      users:
        description: The users.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: Lower case letters, digits and underscores.
            type: str
            required: true
          hosts:
            description: The hosts of the user. C(localhost), a host name, an IP address or a CIDR block.
            type: list
            elements: str
            default: [localhost]
          password:
            description:
              - The placeholder for the password, C(@groundwork(parameter:/path)@). A password is not accepted.
              - The password has at least 12 characters.
            type: str
            required: true
          databases:
            description: Databases on which the user has every privilege.
            type: list
            elements: str
            default: []
  releases:
    description: The desired releases.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The site's name.
        type: str
        required: true
      path:
        description: The site's folder. It must contain a folder C(releases).
        type: path
        required: true
      id:
        description: The release's id.
        type: str
        required: true
      archive:
        description: The packed release, on the controller. A release without an archive must be on the server already.
        type: path
      mend:
        description:
          - Whether files of the release that were changed, added or removed on the server are put back. What was at
            their paths is kept in C(<path>/releases/.<id>.set-aside). Otherwise they are only reported.
          - Without the archive on the controller they are only reported in any case.
        type: bool
        default: true
      owner:
        description:
          - The account that owns the release. No process should run as it.
          - The owner of existing releases is changed to it.
        type: str
        default: root
      group:
        description: The group that can read the release, for the web server.
        type: str
        default: root
      private_group:
        description:
          - The group that can read PHP scripts and names that begin with a dot, instead of O(releases[].group).
          - The default is O(releases[].group).
        type: str
      keep:
        description: How many releases stay on the server, including the current one.
        type: int
        default: 3
      reload:
        description: Services to reload after the switch.
        type: list
        elements: str
        default: []
      workers:
        description:
          - Services that run code of the release. They are restarted when the pages were answered after the switch,
            unless the release is taken back. Those that do not run are started.
          - The module fails with the end of the journal of a worker that does not keep running for some seconds.
        type: list
        elements: str
        default: []
      jobs:
        description:
          - Services that timers start. If the last run of one has failed, the end of its journal is a warning.
        type: list
        elements: str
        default: []
      pages:
        description:
          - The pages of the site to request. Each request goes to this server, with the headers of a load balancer.
          - A redirect to one of the site's host names is followed on this server, at most five times. So is one to the
            same path of another host name when O(releases[].pages[].any_name) is set. When it is not set, such a
            redirect is not accepted. Any other redirect is checked by its own status.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The path, with a query if there is one.
            type: str
            default: /
          matcher:
            description:
              - The statuses that are expected, from 200 to 499, as V(200) or V(200-299,401). If they are all
                redirects, no redirect is followed.
            type: str
            default: 200-399
          timeout:
            description: How many seconds to wait for the complete response.
            type: int
            default: 10
          host:
            description: The Host header of the request.
            type: str
            default: 127.0.0.1
          names:
            description: The site's host names, which may begin with C(*.).
            type: list
            elements: str
            default: []
          any_name:
            description: Whether the site gets the requests for host names that no site has.
            type: bool
            default: false
      logs:
        description: Logs whose last lines are shown when a page fails.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The log file.
            type: path
            required: true
          containing:
            description: A text that identifies the site's lines in a log of all sites.
            type: str
            default: ""
      hide:
        description: >-
          Configuration files of php-fpm pools, and files of variables. Their values are hidden in the lines of the
          logs.
        type: list
        elements: path
        default: []
      folders:
        description:
          - What the site can write of its application. Everything else of a release is read-only for it.
          - The paths are relative to the application. Neither is one of them within another one.
        type: dict
        suboptions:
          shared:
            description:
              - Folders that outlive releases. They are in C(<path>/shared), and each release has links to them.
              - A folder that does not exist yet is created, with the content that the release has at the same path.
                Later releases do not change it.
              - A folder that is not declared any more is kept, and a warning says so.
            type: list
            elements: str
            default: []
          shared_files:
            description:
              - Files that outlive releases, in the same way. A file that the release does not have is not created.
                The link then leads to a file that the application can create.
            type: list
            elements: str
            default: []
          writable:
            description: Folders of each release that the site can write, for caches. They are removed with the release.
            type: list
            elements: str
            default: []
          account:
            description: The account of the site, which can write in these folders. Required if there are any.
            type: str
          web_root:
            description: >-
              The folder of the application that the web server serves. O(releases[].group) can read only what is in it,
              what links in it lead to, and files whose names begin with C(.ht).
            type: str
            default: ""
          configured:
            description: >-
              A file with the folders as JSON, which O(configuration) writes together with the configuration of the web
              server. The module fails if it has other folders, because the web server would run PHP scripts in them.
            type: path
          files:
            description:
              - The mount point of a file system that has the folder C(<path>/shared) of the site, in a folder with the
                name of the site. The module waits until it is mounted, makes C(<path>/shared) a link, and copies what
                the server has in its own folder and the file system does not have. The own folder is kept as
                C(<path>/shared.local).
            type: path
      command:
        description:
          - What one of all servers that get the release runs once, before the release is current on any of them.
          - The servers have a record of each release below C(commands/) in the bucket of the locks, which they write by
            conditional requests, with the role of the server. One of them runs the commands, and the others wait for
            the result. If the commands fail, no server makes the release current. The next run repeats them.
          - A release that was current on the server before does not run them.
        type: dict
        suboptions:
          environment:
            description: The name of the environment, with which the record's key begins.
            type: str
            required: true
          unit:
            description: >-
              The text of the systemd unit that runs the commands, of the type V(oneshot) that remains after its exit.
            type: str
            required: true
          lines:
            description: The commands, for messages.
            type: list
            elements: str
            required: true
          timeout:
            description: How many seconds all commands together can take.
            type: int
            default: 600
          ready:
            description: A command that must succeed before. It is repeated for 240 seconds.
            type: list
            elements: str
            default: []
  run:
    description: >-
      The run of ansible-playbook, which the action plugin sets. A release command that has failed is not repeated in
      the same run.
    type: str
    default: ""
  secrets:
    description:
      - The values for the placeholders, by the paths of their parameters.
      - Only O(configuration.files[].content), O(databases.users[].password) and O(databases.server.password) can
        contain placeholders.
      - Each has at least 8 characters, a database password at least 12. This option is not logged, and its values
        are hidden in what the module returns.
    type: dict
    default: {}
  require_pages:
    description:
      - Whether the module fails and takes releases back when a page is not answered as expected. Otherwise
        RV(failed_pages) contains the page.
    type: bool
    default: true
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description:
      - Predicts every change, also on a server without the packages, and runs the validators.
      - If MariaDB is stopped, only its databases can be read. Their users are assumed to exist with the given password,
        so the change of a password is not predicted.
      - Requests no page, because a request could change the application's data. RV(pages) lists the pages that a run
        requests.
    support: full
  diff_mode:
    description: Shows files, accounts, packages, services, databases, users and current releases, but no secrets.
    support: full
notes:
  - Requires root on a Debian server with systemd.
  - An action plugin on the controller uploads the archives.
"""

EXAMPLES = r"""
- name: Configure Apache
  groundwork.aws.server:
    configuration:
      packages: [apache2]
      files:
        - path: /etc/apache2/conf-enabled/quiet.conf
          content: |
            ServerTokens Prod
          reload: [apache2]
      validators:
        - argv: [apache2ctl, configtest]
          services: [apache2]
      services:
        - name: apache2

- name: Set up the database of the shop, and release it
  groundwork.aws.server:
    databases:
      databases:
        - name: shop
      users:
        - name: shop
          password: "@groundwork(parameter:/groundwork/dev/shop/password)@"
          databases: [shop]
    releases:
      - name: shop
        path: /srv/www/shop
        id: 3f2a9c01d4e5
        archive: ~/.cache/groundwork/releases/shop-3f2a9c01d4e5.tar.gz
        owner: code-shop
        group: site-shop
        private_group: code-shop
        reload: [php8.2-fpm]
        pages:
          - {path: /, host: shop.example.com, names: [shop.example.com]}
        logs:
          - path: /var/log/apache2/shop-error.log
    secrets:
      /groundwork/dev/shop/password: "{{ shop_database_password }}"
"""

RETURN = r"""
changes:
  description: The changes, in check mode those that would be made.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: The kind of change.
      type: str
    resource:
      description: The kind of resource.
      type: str
    name:
      description: The name of the resource.
      type: str
pages:
  description: The requested pages, in check mode those that would be requested.
  returned: when O(releases) is given
  type: list
  elements: str
failed_pages:
  description: The pages that were not answered as expected.
  returned: when O(releases) is given
  type: list
  elements: dict
  contains:
    site:
      description: The site's name.
      type: str
    path:
      description: The page's path.
      type: str
    status:
      description: The status of the response, V(0) without one.
      type: int
    fault:
      description: What is wrong.
      type: str
failed_before:
  description: The pages that failed before the switch. Empty when no release changed.
  returned: when O(releases) is given
  type: list
  elements: dict
taken_back:
  description: The sites whose release was taken back, with the release that is current again.
  returned: when pages failed
  type: dict
idle_workers:
  description: The workers that do not run.
  returned: when workers do not run
  type: list
  elements: str
served:
  description: The releases in O(releases), by site. After a failure the server may have others.
  returned: when O(releases) is given
  type: dict
missing:
  description: The sites whose release was not on the server before.
  returned: when O(releases) is given
  type: list
  elements: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import become, parse_desired

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "databases.server.password": {"no_log": True},
    "databases.users.password": {"no_log": True},
    "secrets": {"no_log": True},
}


def main() -> None:
    """Configure the server, or predict the changes in check mode."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    secrets, problems = module.params["secrets"], Problems()
    try:
        desired = parse_desired(module.params, problems, secrets)
        problems.raise_if_any()
        host, pages = Host(run, Services(run)), module.params["require_pages"]
        result = become(host, desired, check_mode=module.check_mode, require_pages=pages, run=module.params["run"])
    except GroundworkError as error:
        server = f"{module.params['name']}: " if module.params["name"] else ""
        module.fail_json(**hide({"msg": f"{server}{error}", **error.details}, secrets))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
