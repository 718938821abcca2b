"""Against a real socket: a mail server of a few lines, told how to behave."""

import socketserver
import threading
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest

from chalicelib.journeys.ports import ProviderBusy
from chalicelib.messages.channels.smtp import deliver_smtp
from chalicelib.messages.ports import SendRejected, SendUncertain
from tests.messages.test_mime import email


class MailServer(socketserver.ThreadingTCPServer):
    """`answers` overrides the answer to a command; None hangs up instead."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.answers: dict[str, str | None] = {}
        self.commands: list[str] = []
        self.taken: list[bytes] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline().decode().strip():
            self.server.commands.append(line)
            if not self.obey(line.split()[0].upper()):
                return

    def obey(self, verb: str) -> bool:
        usual = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 welcome", "DATA": "354 go on", "QUIT": "221 bye"}
        answer = self.server.answers.get(verb, usual.get(verb, "250 fine"))
        if answer is None:
            return False
        self.wfile.write(f"{answer}\r\n".encode())
        if verb != "DATA" or not answer.startswith("354"):
            return verb != "QUIT"
        lines: list[bytes] = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        end = self.server.answers.get("END", "250 taken")
        if end is None:
            return False
        self.server.taken.append(b"".join(lines))
        self.wfile.write(f"{end}\r\n".encode())
        return True


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listening
        listening.shutdown()
        thread.join()


def test_an_email_arrives_with_its_date(server: MailServer) -> None:
    deliver_smtp(server.url, email(reply_to="help@hadar.example", headers={"List-Id": "<s1.hadar.example>"}), timeout=5)
    read: Any = message_from_bytes(server.taken[0], policy=default)
    assert read["Subject"] == email().subject
    assert (read["Reply-To"], read["List-Id"]) == ("help@hadar.example", "<s1.hadar.example>")
    assert read["Message-ID"] == "<c1-digest@hadar.example>", "ours: the server keeps it"
    assert read["Date"] is not None
    assert "dana@example.test" in next(c for c in server.commands if c.lower().startswith("rcpt to:"))


def test_the_urls_user_logs_in(server: MailServer) -> None:
    deliver_smtp(server.url.replace("//", "//me%40example.test:p%3Aw@"), email(), timeout=5)
    assert any(command.startswith("AUTH PLAIN") for command in server.commands)


@pytest.mark.parametrize(
    ("verb", "answer", "meaning"),
    [
        ("EHLO", None, ProviderBusy),
        ("AUTH", "535 no", SendRejected),
        ("MAIL", "451 later", ProviderBusy),
        ("RCPT", "450 later", ProviderBusy),
        ("RCPT", "550 nobody here", SendRejected),
        ("RCPT", None, ProviderBusy),
        ("DATA", "421 closing", ProviderBusy),
        ("DATA", "554 no", SendRejected),
        ("END", "451 later", ProviderBusy),
        ("END", "554 spam", SendRejected),
        ("END", None, SendUncertain),
    ],
)
def test_what_the_server_answers_is_told_in_our_words(
    server: MailServer, verb: str, answer: str | None, meaning: type[Exception]
) -> None:
    server.answers[verb] = answer
    with pytest.raises(meaning):
        deliver_smtp(server.url.replace("//", "//me:pw@"), email(), timeout=5)
    assert server.taken == [] or verb == "END"


def test_a_server_that_is_not_there_is_busy(server: MailServer) -> None:
    port = server.server_address[1]
    server.server_close()
    with pytest.raises(ProviderBusy):
        deliver_smtp(f"smtp://127.0.0.1:{port}", email(), timeout=2)


def test_only_smtp_urls_are_taken() -> None:
    with pytest.raises(ValueError, match="smtp://"):
        deliver_smtp("http://127.0.0.1", email())
