"""Unit tests import the collection as Ansible does."""

import development_link  # noqa: F401
