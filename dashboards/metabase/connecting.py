"""Getting in: waiting for the server, its first-run set-up, and an API key of our own.

Put here: what happens before there is a key. Never here: what is done with it.
The key is kept in SHOPX_HOME/metabase.json (0600), by address; it never enters a message.
"""

from __future__ import annotations

import hashlib
import json
import platform
import time
from collections.abc import Callable
from typing import Any

import requests

from dashboards.metabase.client import TIMEOUT_S, MetabaseClient, MetabaseError, accepted, answered
from warehouse.errors import ShopxError
from warehouse.passwords import write_private
from warehouse.settings import Settings

FILE_NAME = "metabase.json"
ADMINISTRATORS = 2
START_LIMIT_S = 180.0


def address(settings: Settings) -> str:
    """Return METABASE_URL without a trailing slash; raises ShopxError where it is not set."""
    if settings.metabase_url is None:
        raise ShopxError(
            "METABASE_URL is not set, so there is no Metabase to bring the dashboards to."
            " Set it in .env, e.g. METABASE_URL=http://localhost:3001 (docs/metabase.md).",
            exit_code=2,
        )
    return settings.metabase_url.rstrip("/")


def wait_until_healthy(
    url: str, *, limit_s: float = START_LIMIT_S, say: Callable[[str], None] = lambda _: None
) -> None:
    """Return once `/api/health` says ok; a starting Metabase needs a minute or two.

    Raises MetabaseError after `limit_s`.
    """
    deadline = time.monotonic() + limit_s
    while True:
        try:
            response = requests.get(f"{url}/api/health", timeout=5)
            if response.ok:
                return
            seen = f"it answers {response.status_code}"
        except requests.RequestException as problem:
            seen = type(problem).__name__
        if time.monotonic() > deadline:
            raise MetabaseError(
                f"No Metabase answers at {url}/api/health after {limit_s:.0f} s ({seen})."
                " Start it, or correct METABASE_URL."
            )
        say(f"Waiting for Metabase at {url}")
        time.sleep(min(1.0, limit_s / 10))


def properties(url: str) -> dict[str, Any]:
    """Return what a server tells anybody: version, site name, the set-up token while there is one."""
    got = _plain("get", url, "/api/session/properties")
    return got if isinstance(got, dict) else {}


def is_set_up(told: dict[str, Any]) -> bool:
    """Whether somebody has set this Metabase up already."""
    return bool(told.get("has-user-setup")) if "has-user-setup" in told else not told.get("setup-token")


def connect(settings: Settings, *, site_name: str) -> MetabaseClient:
    """Return a client with a working key: METABASE_API_KEY, the kept one, or a new one by user and password.

    A Metabase that nobody has set up is set up first, with METABASE_USER as its administrator.
    Raises ShopxError when none of that is possible.
    """
    url = address(settings)
    told = properties(url)
    if not is_set_up(told):
        session = _set_up(settings, url, token=str(told["setup-token"]), site_name=site_name)
    elif settings.metabase_api_key is not None:
        return _checked(MetabaseClient(url, settings.metabase_api_key.get_secret_value()))
    else:
        kept = kept_key(settings, url)
        if kept is not None:
            try:
                return _checked(MetabaseClient(url, kept))
            except MetabaseError as problem:
                if problem.status != 401:
                    raise
        session = _log_in(settings, url)
    return MetabaseClient(url, _mint(settings, url, session))


def _checked(client: MetabaseClient) -> MetabaseClient:
    """Return a client whose key the server knows; raises MetabaseError with status 401 otherwise."""
    client.get("/api/user/current")
    return client


def kept_key(settings: Settings, url: str) -> str | None:
    """Return the API key kept for this address, if there is one."""
    return _kept(settings).get(url)


def _kept(settings: Settings) -> dict[str, str]:
    try:
        content = json.loads((settings.home / FILE_NAME).read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        return {}  # a key can be made again
    return {str(k): str(v) for k, v in content.items()} if isinstance(content, dict) else {}


def _plain(verb: str, url: str, path: str, *, session: str | None = None, **more: Any) -> Any:
    """One request without a key, before there is a client."""
    what = f"{verb.upper()} {path}"
    headers = {"X-Metabase-Session": session} if session else {}
    response = answered(
        lambda: requests.request(verb, url + path, headers=headers, timeout=TIMEOUT_S, **more), what=what
    )
    return accepted(response, what=what)


def _administrator(settings: Settings) -> tuple[str, str]:
    if settings.metabase_user is None or settings.metabase_password is None:
        raise ShopxError(
            "Metabase needs to know who you are: set METABASE_API_KEY, or METABASE_USER and METABASE_PASSWORD"
            " (a new Metabase is set up with them).",
            exit_code=2,
        )
    return settings.metabase_user, settings.metabase_password.get_secret_value()


def _set_up(settings: Settings, url: str, *, token: str, site_name: str) -> str:
    """Make the administrator of a new Metabase; returns a session."""
    email, password = _administrator(settings)
    body = {
        "token": token,
        "user": {"email": email, "password": password, "first_name": "ShopX", "last_name": "Administrator"},
        "prefs": {"site_name": site_name, "site_locale": "en"},
    }
    try:
        return str(_plain("post", url, "/api/setup", json=body)["id"])
    except MetabaseError as problem:
        if problem.status != 403:  # somebody was faster, or an answer got lost
            raise
    return _log_in(settings, url)


def _log_in(settings: Settings, url: str) -> str:
    email, password = _administrator(settings)
    return str(_plain("post", url, "/api/session", json={"username": email, "password": password})["id"])


def _key_name(settings: Settings) -> str:
    """One name per installation, so that a lost key is made anew and not beside the old one."""
    mark = hashlib.sha256(str(settings.home).encode()).hexdigest()[:6]
    return f"shopx {platform.node() or 'host'} {mark}"


def _mint(settings: Settings, url: str, session: str) -> str:
    """Return a new API key of group Administrators, kept in SHOPX_HOME."""
    name = _key_name(settings)
    known = _plain("get", url, "/api/api-key", session=session)
    same = [key["id"] for key in known if key.get("name") == name]
    if same:
        made = _plain("put", url, f"/api/api-key/{same[0]}/regenerate", session=session)
    else:
        body = {"name": name, "group_id": ADMINISTRATORS}
        made = _plain("post", url, "/api/api-key", session=session, json=body)
    key = str(made["unmasked_key"])
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(settings.home / FILE_NAME, json.dumps({**_kept(settings), url: key}, indent=1))
    return key
