"""The tables of a dump are counted and digested in its text, wherever else the same words are."""

from __future__ import annotations

import hashlib
import random

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.dumps import Digests, differences, dump_argv

DUMP = r"""
/*M!999999\- enable the sandbox mode */
DROP TABLE IF EXISTS `empty`;
CREATE TABLE `empty` (
  `x` float DEFAULT NULL COMMENT 'INSERT INTO `empty` VALUES\n(1);'
) ENGINE=InnoDB;
CREATE TABLE `od``d` (
  `id` int(11) NOT NULL
);
INSERT INTO `od``d` VALUES
(1,'a\nINSERT INTO `x` VALUES'),
(2,'(x\';'),
(3,NULL);
INSERT INTO `od``d` VALUES
(4,0x00FF);
DELIMITER ;;
/*!50003 CREATE TRIGGER tr BEFORE INSERT ON `empty` FOR EACH ROW SET new.x=concat('
INSERT INTO `empty` VALUES
(1)') */;;
DELIMITER ;
/*!50001 CREATE VIEW `seen` AS SELECT
 NULL AS `c` */;
-- Dump completed
"""
ODD = [b"(1,'a\\nINSERT INTO `x` VALUES')", b"(2,'(x\\';')", b"(3,NULL)", b"(4,0x00FF)"]


def digests_of(text: str) -> Digests:
    digests = Digests()
    for line in text.encode().splitlines(keepends=True):
        digests.line(line)
    return digests


def test_rows_are_those_of_the_statements_alone() -> None:
    found = digests_of(DUMP)
    assert found.complete
    assert {name: table["rows"] for name, table in found.tables().items()} == {"empty": 0, "od`d": 4}
    total = sum(int.from_bytes(hashlib.sha256(row).digest(), "big") for row in ODD) % 2**256
    assert found.tables()["od`d"]["digest"] == f"{total:064x}"


def test_a_dump_that_ends_too_early_is_not_complete() -> None:
    assert not digests_of(DUMP.replace("-- Dump completed", "")).complete


def rows_in(order: list[bytes]) -> str:
    return "CREATE TABLE `t` (\n);\nINSERT INTO `t` VALUES\n" + b",\n".join(order).decode() + ";\n"


@pytest.mark.parametrize("seed", range(20))
def test_the_digest_does_not_depend_on_the_order_but_on_every_row(seed: int) -> None:
    order = [f"({number},'{number * seed}')".encode() for number in range(20)]
    shuffled = random.Random(seed).sample(order, len(order))  # noqa: S311 - an order
    tables = digests_of(rows_in(order)).tables()
    assert digests_of(rows_in(shuffled)).tables() == tables
    twice = [*order[:-1], order[0]]
    assert differences(tables, digests_of(rows_in(twice)).tables()) == ["the table t has other content"]


def test_differences_are_told_by_table() -> None:
    one, other = {"rows": 2, "digest": "aa"}, {"rows": 3, "digest": "bb"}
    assert differences({"a": one, "b": one, "c": one}, {"b": other, "c": one, "d": one}) == [
        "the table a is missing",
        "the table d is not in the backup",
        "the table b has 3 rows instead of 2",
    ]


def test_the_command_has_no_password_and_reads_no_option_file() -> None:
    argv = dump_argv("/run/s", "shop")
    assert argv[:2] == ["mariadb-dump", "--no-defaults"]
    assert argv[-1] == "shop"
    assert not [word for word in argv if "password" in word]
    assert {"--single-transaction", "--routines", "--triggers", "--events"} <= set(argv)
