"""Google Sheets over the network: sign in as a service account, wait when told to, say what is wrong.

Put requests to Google and the sentences about their failures here. Never what a cell means (worksheet.py),
never what becomes of the rows (sheet.py). gspread is an optional extra: it is imported when a sheet is asked
for, and its absence is one sentence.
"""

from __future__ import annotations

import importlib.util
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tenacity

from ingestion.sources.fetched import FetchFailed

if TYPE_CHECKING:
    from gspread.http_client import HTTPClient
    from requests import PreparedRequest, Response

EXTRA = "pip install 'shopx-warehouse[sheets]'"
TIMEOUT_S = (10.0, 120.0)  # connect, read
TRIES = 6
LONGEST_WAIT_S = 64.0  # Google's advice for its quotas: exponential up to 32 or 64 seconds
SCOPES = (
    "https://www.googleapis.com/auth/spreadsheets.readonly",
    "https://www.googleapis.com/auth/drive.metadata.readonly",
)


@dataclass(frozen=True)
class Endpoints:
    """Where Google is; tests have it on the loopback. The token's address stands in the credentials."""

    sheets: str = "https://sheets.googleapis.com"
    drive: str = "https://www.googleapis.com"


def is_installed() -> bool:
    """Whether the optional extra is there."""
    return importlib.util.find_spec("gspread") is not None


def whom_to_share_with(credentials: Path | None) -> str:
    """The address of the service account. Raises FetchFailed when no sheet can be read here, with what to
    do."""
    if not is_installed():
        raise FetchFailed(f"Reading Google Sheets needs the extra package gspread: {EXTRA}.")
    return _client_email(credentials)


def _client_email(credentials: Path | None) -> str:
    if credentials is None:
        raise FetchFailed(
            "GOOGLE_CREDENTIALS_FILE is not set, so no sheet can be read; set it to the JSON key file of a "
            "Google service account. Everything else works without it."
        )
    try:
        data = json.loads(credentials.read_text(encoding="utf-8"))
        found = str(data["client_email"])
        if data.get("type") != "service_account":
            raise KeyError("type")
    except OSError as error:
        why = (error.strerror or "input/output error").lower()
        raise FetchFailed(f"GOOGLE_CREDENTIALS_FILE ({credentials}) cannot be read: {why}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FetchFailed(
            f"GOOGLE_CREDENTIALS_FILE ({credentials}) is no key of a service account; make one in the Google "
            "Cloud console under IAM → Service accounts → Keys → JSON."
        ) from None
    return found


class Google:
    """What is asked of Google about spreadsheets, signed in as one service account.

    Every method raises FetchFailed with one sentence. `wait` is what waiting is done with.
    """

    def __init__(
        self,
        credentials: Path | None,
        *,
        endpoints: Endpoints | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.email = whom_to_share_with(credentials)
        self._credentials = credentials
        self._endpoints = endpoints or Endpoints()
        self._wait = wait
        self._http = self._sign_in()

    def modified_at(self, spreadsheet: str) -> str | None:
        """When the spreadsheet was last edited, as Drive says; None where the project may not ask Drive."""
        try:
            found = self._ask(spreadsheet, lambda http: http.get_file_drive_metadata(spreadsheet))
        except _NotAllowedToAsk:
            return None
        return str(found["modifiedTime"]) if "modifiedTime" in found else None

    def worksheets(self, spreadsheet: str) -> list[Mapping[str, Any]]:
        """The properties of each worksheet: title, sheetId, hidden, gridProperties."""
        found = self._ask(
            spreadsheet,
            lambda http: http.fetch_sheet_metadata(
                spreadsheet, params={"fields": "properties(title),sheets(properties)"}
            ),
        )
        return [sheet["properties"] for sheet in found.get("sheets", [])]

    def grid(self, spreadsheet: str, a1: str, *, fields: str) -> Mapping[str, Any]:
        """The cells of one range, as the API gives them; empty where the range holds nothing."""
        found = self._ask(
            spreadsheet,
            lambda http: http.fetch_sheet_metadata(spreadsheet, params={"ranges": [a1], "fields": fields}),
        )
        data: Sequence[Mapping[str, Any]] = (found.get("sheets") or [{}])[0].get("data") or [{}]
        return data[0]

    def _sign_in(self) -> HTTPClient:
        import requests  # noqa: PLC0415 - an extra, and slow to import
        from google.auth.transport.requests import Request  # noqa: PLC0415
        from google.oauth2.service_account import Credentials  # noqa: PLC0415
        from gspread.http_client import HTTPClient  # noqa: PLC0415

        endpoints = self._endpoints

        class Pointed(HTTPClient):
            """gspread's client, to the addresses of `endpoints`."""

            def request(self, method: str, endpoint: str, *args: Any, **kwargs: Any) -> Response:
                for default, ours in zip(
                    (Endpoints.sheets, Endpoints.drive), (endpoints.sheets, endpoints.drive), strict=True
                ):
                    if endpoint.startswith(f"{default}/"):
                        endpoint = ours + endpoint.removeprefix(default)
                return super().request(method, endpoint, *args, **kwargs)

        try:
            signed = Credentials.from_service_account_file(  # type: ignore[no-untyped-call]
                str(self._credentials), scopes=list(SCOPES)
            )
        except (ValueError, OSError):
            raise FetchFailed(
                f"GOOGLE_CREDENTIALS_FILE ({self._credentials}) holds no usable private key; make a new "
                f"JSON key for {self.email}."
            ) from None
        session, tokens = requests.Session(), requests.Session()

        # not google.auth's own session: that one asks a further host of Google's in a thread of its own
        def authorised(prepared: PreparedRequest) -> PreparedRequest:
            if not signed.valid:
                signed.refresh(Request(tokens))
            prepared.headers["Authorization"] = f"Bearer {signed.token}"
            return prepared

        session.auth = authorised
        http = Pointed(signed, session)
        http.set_timeout(TIMEOUT_S)
        return http

    def _ask(self, spreadsheet: str, question: Callable[[HTTPClient], Any]) -> Any:
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_passing),
            stop=tenacity.stop_after_attempt(TRIES),
            wait=_pause,
            sleep=self._wait,
            reraise=True,
        )
        try:
            return retrying(question, self._http)
        except Exception as error:
            raise self._sentence(error, spreadsheet) from None

    def _sentence(self, error: Exception, spreadsheet: str) -> Exception:
        from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
        from gspread.exceptions import APIError  # noqa: PLC0415
        from requests import RequestException  # noqa: PLC0415

        if isinstance(error, GoogleAuthError):
            if _is_passing(error):
                return FetchFailed("Google's sign-in cannot be reached; try again later.")
            return FetchFailed(
                f"Google does not accept the key of {self.email}; it was revoked, or this machine's clock is "
                "wrong. Make a new JSON key and point GOOGLE_CREDENTIALS_FILE to it."
            )
        if isinstance(error, APIError):
            return self._refused(error, spreadsheet)
        if isinstance(error, RequestException | ValueError):  # ValueError: an answer that is no JSON
            return FetchFailed(
                f"Google did not answer properly ({type(error).__name__}) over {TRIES} tries; try later."
            )
        return error

    def _refused(self, error: Any, spreadsheet: str) -> Exception:
        status, reason = error.response.status_code, _reason(error)
        if status == HTTPStatus.NOT_FOUND:
            return FetchFailed(
                f"There is no spreadsheet {spreadsheet}: it was deleted, its id is wrong, or it is not "
                f"shared. Share it with {self.email} as Viewer, or correct sheet: in the contract."
            )
        if status == HTTPStatus.FORBIDDEN and reason in _API_IS_OFF:
            return _NotAllowedToAsk(
                f"The Google Cloud project of {self.email} may not use this API; enable the Google Sheets "
                "API and the Google Drive API there."
            )
        if status == HTTPStatus.FORBIDDEN and not _is_passing(error):
            return FetchFailed(
                f"The spreadsheet {spreadsheet} is not shared with {self.email}; open it, press Share and "
                "add that address as Viewer."
            )
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.FORBIDDEN):
            return FetchFailed(
                f"Google's quota is used up and stayed so over {TRIES} tries; try again in some minutes."
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return FetchFailed(
                f"Google Sheets is out of order (status {status}) after {TRIES} tries; try later."
            )
        return FetchFailed(f"Google refused to give the sheet: {_said(error)} (status {status}).")


class _NotAllowedToAsk(FetchFailed):
    """The project has not enabled the API that was asked."""


_API_IS_OFF = ("accessNotConfigured", "SERVICE_DISABLED")
_QUOTA = ("rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RATE_LIMIT_EXCEEDED")


def _reason(error: Any) -> str:
    """The machine's word for a refusal: Drive has `errors`, Sheets has `details`."""
    for listed in ("errors", "details"):
        for item in error.error.get(listed) or []:
            if isinstance(item, Mapping) and item.get("reason"):
                return str(item["reason"])
    return ""


def _said(error: Any) -> str:
    return " ".join(str(error.error.get("message", "no reason given")).split())[:200].rstrip(".")


def _is_passing(error: BaseException) -> bool:
    """Whether asking again may help: quotas, outages, broken connections."""
    from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415
    from gspread.exceptions import APIError  # noqa: PLC0415
    from requests import ConnectionError as NoConnection  # noqa: PLC0415
    from requests import JSONDecodeError, Timeout  # noqa: PLC0415
    from requests.exceptions import ChunkedEncodingError, ContentDecodingError  # noqa: PLC0415

    if isinstance(error, APIError):
        status = error.response.status_code
        passing = status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)
        return passing or status >= HTTPStatus.INTERNAL_SERVER_ERROR or _reason(error) in _QUOTA
    if isinstance(error, GoogleAuthError):
        return isinstance(error, TransportError) or bool(getattr(error, "retryable", False))
    return isinstance(
        error, NoConnection | Timeout | JSONDecodeError | ChunkedEncodingError | ContentDecodingError
    )


def _pause(state: tenacity.RetryCallState) -> float:
    """What Google asks for, else 1, 2, 4 … seconds and a little, so that two who wait do not meet again."""
    error = state.outcome.exception() if state.outcome else None
    asked = getattr(error, "response", None)
    stated = asked.headers.get("Retry-After") if asked is not None else None
    if stated:
        seconds = _retry_after(stated)
        if seconds is not None:
            return min(max(seconds, 0.0), LONGEST_WAIT_S)
    return min(2.0 ** (state.attempt_number - 1) + random.random(), LONGEST_WAIT_S)  # noqa: S311 - no secret


def _retry_after(stated: str) -> float | None:
    """Seconds from now: the header holds a number of them, or a date."""
    if stated.strip().isdigit():
        return float(stated)
    try:
        return parsedate_to_datetime(stated).timestamp() - time.time()
    except ValueError:
        return None
