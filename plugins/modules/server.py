#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server
short_description: Configure a Debian server, its databases and its releases in one module run
description:
  - Brings packages, system accounts, files and services of a server to what is declared, then the databases, users and
    grants of its MariaDB, then the releases of its sites. A part that fails ends the run.
  - No file goes live unchecked. The daemons' own validators run in a mount namespace in which the new files are in
    place, while everything else on the server still sees the old ones. When a service does not come back with its new
    files, every file is restored, the service runs with the old ones again, and the module fails with the end of the
    service's journal. Daemons that a package brings wait for their configuration before they start for the first time.
  - MariaDB is reached as root over its unix socket, with the server's own client. No Python driver is needed, and no
    password of root exists. Only the hash of a password that MariaDB itself stores is sent, never as an argument of a
    command. Root can log in by the socket only, and anonymous users and an empty database C(test) are removed.
    Declared users can log in from their declared hosts only. Users and databases that are not declared stay.
  - Releases of sites are at C(<path>/releases/<id>), and C(<path>/current) is a link to the one that is served. Only a
    release that the server does not have is uploaded, in a second module run. It is unpacked beside the others, renamed
    when it is whole, and made current in one step. An archive is checked by the rules of
    M(groundwork.aws.release_archives) before anything of it is written, whoever packed it. The services are reloaded
    after the switch. When one does not come back, the previous releases are made current again.
  - Then the pages of all sites are requested on this server, also when nothing changed. When one is not answered as
    expected the module fails with the last lines of the site's logs. The release of the site is taken back when the
    page was answered as expected before it; otherwise nothing is taken back.
  - A new server holds a file C(<path>/.unready) for each site until its pages were answered as expected once. The role
    lamp configures Apache so that the server takes no visitors from balancers while the file exists.
  - A run that was interrupted is completed by the next one, including a service that has yet to reload.
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
  configuration:
    description: Packages, accounts, files and services. Not changed unless it is given.
    type: dict
    suboptions:
      name:
        description: Keeps one configuration of a server apart from another.
        type: str
        default: groundwork
      packages:
        description: Debian packages that have to be installed. Packages that they merely recommend are left out.
        type: list
        elements: str
        default: []
      accounts:
        description: System accounts, each with a group of its own, without a shell and without a password.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: The account's name, and its group's.
            type: str
            required: true
          home:
            description: Its home. The folder is not made.
            type: path
            required: true
          members:
            description: Other accounts that belong to its group as well.
            type: list
            elements: str
            default: []
          reload:
            description: Services to reload when the account or its group changes.
            type: list
            elements: str
            default: []
      files:
        description: Files, links and folders. The parent of each has to exist, or to come before it.
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
              - C(@groundwork(parameter:/path|php-fpm)@) is the value in quotes for the file of a php-fpm pool.
            type: str
          target:
            description: Where a link leads, as it stands in the link.
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
              - The mode in octal digits, V(0644) for a file and V(0755) for a folder unless told otherwise.
              - What the world may not read is not shown in differences either.
            type: str
          reload:
            description: Services to reload when it changes.
            type: list
            elements: str
            default: []
          restart:
            description: Services to restart when it changes.
            type: list
            elements: str
            default: []
      purge:
        description: Files of ours from before. What matches a pattern and is not in O(configuration.files) is removed.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: A path whose last part may hold wildcards.
            type: path
            required: true
          reload:
            description: Services to reload when something is removed.
            type: list
            elements: str
            default: []
          restart:
            description: Services to restart when something is removed.
            type: list
            elements: str
            default: []
      validators:
        description: The daemons' own checks. They see the new files below C(/etc).
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
            description: It runs when something changes for one of these services.
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
            description: The unit's name, without C(.service).
            type: str
            required: true
          state:
            description: Whether it runs. A service that is not installed counts as stopped.
            type: str
            choices: [started, stopped]
            default: started
          enabled:
            description: Whether it starts with the server.
            type: bool
            default: true
  databases:
    description: Databases, users and grants of MariaDB. Not changed unless it is given.
    type: dict
    suboptions:
      socket:
        description: The server's unix socket.
        type: path
        default: /run/mysqld/mysqld.sock
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
            description: How text is compared in new tables.
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
            description: From where the user may come. C(localhost), a host's name or address, or a network's CIDR.
            type: list
            elements: str
            default: [localhost]
          password:
            description:
              - The placeholder for the password, C(@groundwork(parameter:/path)@). The password itself is refused here.
              - The password has at least 12 characters.
            type: str
            required: true
          databases:
            description: Databases on which the user has every privilege.
            type: list
            elements: str
            default: []
  releases:
    description: The releases that should be current.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The site's name.
        type: str
        required: true
      path:
        description: The site's folder. It has to hold a folder C(releases).
        type: path
        required: true
      id:
        description: The release's id.
        type: str
        required: true
      archive:
        description: The packed release, on the controller. A release without one has to be on the server already.
        type: path
      owner:
        description:
          - The account that owns the release. Nothing should run as it.
          - Releases that another account owns are given to it.
        type: str
        default: root
      group:
        description: The group that may read the release, for what serves its files.
        type: str
        default: root
      private_group:
        description:
          - The group that may read scripts of PHP, and names that begin with a dot, instead of O(releases[].group).
          - Unless given, it is O(releases[].group).
        type: str
      keep:
        description: How many releases stay on the server, the current one included.
        type: int
        default: 3
      reload:
        description: Services to reload after the switch.
        type: list
        elements: str
        default: []
      pages:
        description:
          - The pages of the site to ask for. Each request goes to this server, with the headers that a balancer adds.
          - A redirect to one of the site's host names is followed on this server, at most five times. So is one to the
            same path of another host name when O(releases[].pages[].any_name) is set. When it is not set, such a
            redirect is not accepted. Any other redirect is judged by its own status.
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
              - The statuses that are expected, from 200 to 499, as V(200) or V(200-299,401). When these are redirects
                alone, no redirect is followed.
            type: str
            default: 200-399
          timeout:
            description: For how many seconds to wait for the whole answer.
            type: int
            default: 10
          host:
            description: The Host that leads to the site.
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
        description: The logs to tell the last lines of when a page fails.
        type: list
        elements: dict
        default: []
        suboptions:
          path:
            description: The log file.
            type: path
            required: true
          containing:
            description: A text that the site's lines have, in a log of all sites.
            type: str
            default: ""
      hide:
        description: >-
          Configuration files of php-fpm pools. The values of their environment variables are left out of what is told
          of the logs.
        type: list
        elements: path
        default: []
  secrets:
    description:
      - The values for the placeholders, by the paths of their parameters.
      - Only O(configuration.files[].content) and O(databases.users[].password) can contain placeholders.
      - Each has at least 8 characters, a password of a database at least 12. This option is not logged, and its values
        are hidden in what the module returns.
    type: dict
    default: {}
  require_pages:
    description:
      - Whether the module fails, and takes releases back, when a page is not answered as expected. Otherwise
        RV(failed_pages) tells it.
    type: bool
    default: true
attributes:
  check_mode:
    description:
      - Predicts every change, also on a server without the packages, and runs the validators.
      - Of a MariaDB that is stopped only the databases can be read. Their users are assumed to exist with the password
        that is given, so that another password is not predicted there.
      - Requests no page, since that could change what the application stores. RV(pages) lists the pages that a run
        requests.
    support: full
  diff_mode:
    description: Shows files, accounts, packages, services, databases, users and current releases, and no secret.
    support: full
notes:
  - Needs root on a Debian server with systemd.
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

- name: Give the shop its database, and release it
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
  description: What was changed, or would be in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: What was done.
      type: str
    resource:
      description: To what kind of thing.
      type: str
    name:
      description: To which one.
      type: str
pages:
  description: The pages that were asked for, or would be in check mode.
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
      description: The status of the answer, V(0) when there was none.
      type: int
    fault:
      description: What is wrong, in words.
      type: str
failed_before:
  description: The same from before the releases became current; empty when no release changed.
  returned: when O(releases) is given
  type: list
  elements: dict
taken_back:
  description: The sites whose release was taken back, with the release that is current again.
  returned: when pages failed
  type: dict
missing:
  description: The sites whose release was not on the server before.
  returned: when O(releases) is given
  type: list
  elements: str
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import ARGUMENTS, become, parse_desired


def main() -> None:
    """Make the server what it should be, or in check mode return what would change."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    secrets, problems = module.params["secrets"], Problems()
    try:
        desired = parse_desired(module.params, problems, secrets)
        problems.raise_if_any()
        host, pages = Host(run, Services(run)), module.params["require_pages"]
        result = become(host, desired, check_mode=module.check_mode, require_pages=pages)
    except GroundworkError as error:
        server = f"{module.params['name']}: " if module.params["name"] else ""
        module.fail_json(**hide({"msg": f"{server}{error}", **error.details}, secrets))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
