"""Tests import the collection as Ansible does, from the development link in `.collections`."""

import development_link  # noqa: F401
