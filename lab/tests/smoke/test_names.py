"""A domain on the lab: its names exist, and its certificate is issued, when the registrar has delegated it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from cryptography import x509
from running_lab import Lab

pytestmark = pytest.mark.lab

SCRIPT = str(Path(__file__).with_name("request_certificate.py"))


def test_a_domain_from_its_zone_to_its_certificate(lab: Lab) -> None:
    made = json.loads(lab.inside(sys.executable, SCRIPT, "create").stdout)
    look = ("getent", "ahostsv4", "www.names.test")
    assert (made["status"], lab.inside(*look, part="visitor", check=False).returncode) == ("PENDING_VALIDATION", 2)
    told = lab("register", "names.test").stdout
    assert "names.test  ns-0.awsdns-00.test ns-512.awsdns-00.test" in told
    assert lab.inside(*look, part="visitor").stdout.startswith("198.19.200.9 ")
    issued = json.loads(lab.inside(sys.executable, SCRIPT, "await", made["certificate"]).stdout)
    certificate = x509.load_pem_x509_certificate(issued["Certificate"].encode())
    authority = (lab.state / "authority" / "ca.pem").read_bytes()
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    assert lab("deregister", "names.test").stdout == "No domains.\n"
    assert lab.inside(*look, part="visitor", check=False).returncode == 2
