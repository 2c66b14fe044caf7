"""Where a token may go: one origin, encrypted unless it is this very machine."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

import httpx

from holdwater.errors import BadAnswerError, SetupError


class Origin:
    """The scheme, host and port of a CRM; SetupError for anything a token must not be sent to."""

    def __init__(self, base_url: str) -> None:
        try:
            url = httpx.URL(base_url)
        except httpx.InvalidURL:
            url = httpx.URL("")
        more = url.userinfo or url.path != "/" or url.query or url.fragment
        if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65535 or more:
            raise SetupError("The CRM's address must look like https://host or https://host:port, nothing more.")
        if url.scheme == "http" and not _is_this_machine(url.host):
            raise SetupError(f"http://{url.host} would send the token unencrypted; use https://{url.host}.")
        self._url = url

    def __str__(self) -> str:
        return f"{self._url.scheme}://{self.account}"

    @property
    def account(self) -> str:
        """The host, with the port where it is not the usual one."""
        return self._url.netloc.decode("ascii")

    @property
    def encrypted(self) -> bool:
        return self._url.scheme == "https"

    def url(self, path: str) -> httpx.URL:
        """The address of `path` here; BadAnswerError for a path that leads elsewhere, as a link in an answer may."""
        url = _joined(self._url, path)
        if (url.scheme, url.netloc) != (self._url.scheme, self._url.netloc) or url.userinfo:
            raise BadAnswerError(f"The token is for {self} only, and a request to {url.host} was refused.")
        return url


@lru_cache(maxsize=256)  # the pages of a list have one path
def _joined(base: httpx.URL, path: str) -> httpx.URL:
    return base.join(path)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
