"""A release from branch to end by real processes: `sluice run`, and terminals beside it."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request

from tests.run.processes import Desk, wait_until


def test_a_release_goes_from_branch_to_end_by_terminals_alone(desk: Desk) -> None:
    """The embedded default is complete: no Git host, no Slack, two terminals and a bare repo."""
    with desk.bot() as bot:
        bot.begun()
        release = desk.repo.propose("2.0.0")
        wait_until(lambda: "Pull request pr/agent-2-0-0 proposes" in bot.chat)
        desk.repo.merge(release)
        decision = wait_until(lambda: desk.release(release).get("decisions"))[0]
        assert decision == decision | {"id": "agent-2-0-0#1", "roles": ["approver"], "count": 1}

        said = desk.from_another_process("approve", release, "--as", "chris")
        assert said.returncode == 3
        assert "chris is an author" in said.stderr

        said = desk.from_another_process("approve", release, "--as", "ana", "--json")
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["approved"] is True
        began = wait_until(lambda: desk.release(release).get("began"))
        assert began is not None

        why = desk.ask("why", "agent@eu-1")
        assert why["release"] == release
        assert why["waiting"][0]["gate"] in ("converged", "soaked")
        assert bot.stop() == 0
        assert "stopped" in bot.log

    # The same questions are answered while no bot runs.
    status = desk.ask("status", release)
    assert status["bot"] is None
    assert status["releases"][0]["phase"] == "PROGRESSING"
    with desk.bot() as bot:
        wait_until(lambda: desk.phase(release) == "SUCCEEDED")
        assert bot.stop(signal.SIGINT) == 0
    fleet = desk.ask("fleet")
    writes = [w for cluster in fleet["clusters"] for w in cluster["writes"]]
    assert [w["verb"] for w in writes] == ["create"]
    assert desk.ask("audit", release, "--verify")["verified"] is True


def test_a_second_bot_on_one_store_says_who_holds_it(desk: Desk) -> None:
    """Two bots on one store would write everything twice; the second one is told by whom."""
    with desk.bot() as first:
        address = first.begun()
        second = desk.from_another_process("run", "--port", "0", "--json")
        assert second.returncode == 3
        refused = json.loads(second.stdout)["refused"]
        assert refused["code"] == "locked-store"
        assert f"process {first.process.pid}" in refused["why"]
        port = address.rpartition(":")[2]
        other = str(desk.folder / "other.db")
        third = desk.from_another_process("run", "--port", port, "--db", other)
        assert third.returncode == 4
        assert f"port {port}" in third.stderr

        wait_until(lambda: _status(address, "/readyz") == 200)
        assert _status(address, "/healthz") == 200
        with urllib.request.urlopen(f"{address}/metrics") as answer:
            assert b"sluice_last_tick_timestamp_seconds" in answer.read()


def _status(address: str, path: str) -> int:
    try:
        with urllib.request.urlopen(address + path) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
