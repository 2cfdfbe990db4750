"""The built-in type email: sent by SMTP, or written into the outbox folder."""

import logging
import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate
from pathlib import Path
from typing import Any

import msgspec

from boltq import folder
from boltq.execution import FailForGood, current_job
from boltq.settings import Settings

log = logging.getLogger(__name__)

SMTP_SECONDS = 30.0
SMTPS_PORT = 465
PERMANENT = range(500, 600)


class Undelivered(Exception):
    """The mail server did not take the message this time. Names no address: it will be logged."""


class Email(msgspec.Struct, forbid_unknown_fields=True):
    """The payload of an email job."""

    recipient: str
    subject: str
    body: str
    sender: str | None = None
    cc: str | None = None


class Mailer:
    """The handler of the type email.

    settings: SMTP_HOST and the others of SMTP, and the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def send(self, *payload: Any, **members: Any) -> dict[str, str]:
        """Send one message; returns how: `smtp`, or the file in the outbox."""
        message = self._message(payload[0] if payload else members)
        if self._settings.smtp_host:
            self._deliver(message, self._settings.smtp_host)
            log.info("email sent")
            return {"sent": "smtp"}
        path = self._write(message)
        log.info("email written, SMTP_HOST is not set", extra={"file": path})
        return {"file": str(path)}

    def _message(self, payload: Any) -> EmailMessage:
        """Make the message; what cannot be one will not become one by trying again."""
        try:
            email = msgspec.convert(payload, Email)
            message = EmailMessage()
            message["From"] = self._settings.smtp_from if email.sender is None else email.sender
            message["To"] = email.recipient
            if email.cc is not None:
                message["Cc"] = email.cc
            message["Subject"] = email.subject  # a line break in any of these is refused
            message["Date"] = formatdate()
            # The same for each try, so that a mailbox can tell a message that was sent twice.
            message["Message-ID"] = f"<{current_job().id.replace(':', '.')}@boltq>"
            message.set_content(email.body)
        except (msgspec.ValidationError, MessageError, ValueError, UnicodeError) as problem:
            raise FailForGood(f"the payload makes no email: {problem}") from problem
        for field in ("From", "To", "Cc"):
            if field in message:
                _check_addresses(field, message[field])
        return message

    def _deliver(self, message: EmailMessage, host: str) -> None:
        told = self._settings
        try:
            with _connect(host, told.smtp_port) as server:
                if told.smtp_user:
                    if told.smtp_port != SMTPS_PORT:
                        # A password in the clear is worse than an email that waits.
                        server.starttls(context=ssl.create_default_context())
                    server.login(told.smtp_user, told.smtp_password or "")
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = {code for code, _ in refused.recipients.values()}
            if all(code in PERMANENT for code in codes):
                raise FailForGood(f"the mail server refuses the recipient: {codes}") from refused
            raise Undelivered(f"the mail server refuses the recipient now: {codes}") from refused
        except smtplib.SMTPSenderRefused as refused:
            code = refused.smtp_code
            raise Undelivered(f"the mail server refuses the sender: {code}") from refused

    def _write(self, message: EmailMessage) -> Path:
        outbox = folder.prepare(self._settings.data_dir) / "outbox"
        outbox.mkdir(mode=0o700, exist_ok=True)
        path = outbox / f"{current_job().id}.eml"
        unfinished = path.with_name(f".{path.name}.{current_job().fence}")
        unfinished.write_bytes(message.as_bytes())
        return unfinished.replace(path)


def _connect(host: str, port: int) -> smtplib.SMTP:
    if port == SMTPS_PORT:
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=context)
    return smtplib.SMTP(host, port, timeout=SMTP_SECONDS)


def _check_addresses(field: str, header: Any) -> None:
    addresses = header.addresses
    if not addresses or not all(each.username and each.domain for each in addresses):
        raise FailForGood(
            f"the payload makes no email: {field} must be an address, as in user@example.com"
        )
