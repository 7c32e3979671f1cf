"""What every call of one client has in common, however it waits: its time, its token, and what is tried again."""

from __future__ import annotations

import uuid

from phonoscope_client import arguments
from phonoscope_client.errors import PhonoscopeError, invalid
from phonoscope_client.transport.retries import Patience, RetryBudget, RetryOptions


class Terms:
    """The terms of one client's calls.

    Args:
        timeout_s: seconds an answer may take, retries included.
        token: bearer token; None where the service asks for none.
        patience_s: seconds for which to go on where no service answers.
        retry_busy: whether one that is busy is asked again.

    Raises:
        InvalidInputError: an argument is of no use.
    """

    def __init__(self, timeout_s: float, token: str | None, patience_s: float, *, retry_busy: bool = True) -> None:
        self._timeout_s = seconds("timeout_s", timeout_s)
        patience_s = arguments.number("patience_s", patience_s, "seconds, 0 or more")
        if patience_s < 0:
            raise invalid("patience_s", f"{patience_s:g}; give seconds, 0 or more")
        if token is not None and not (arguments.text("token", token, "text").isascii() and token.isprintable()):
            raise invalid("token", "it holds what cannot be sent; give printable ASCII")
        self._authorization = [("authorization", f"Bearer {token}")] if token else []
        self._retries = RetryOptions(patience_s, arguments.flag("retry_busy", retry_busy))
        self._budget = RetryBudget(self._retries)

    def begin(self, method: str, timeout_s: float | None = None) -> Attempts:
        """A new call.

        Args:
            method: name of the RPC.
            timeout_s: seconds it may take; None for the client's own.
        """
        self._budget.earn()
        request_id = uuid.uuid4().hex
        metadata = [*self._authorization, ("x-request-id", request_id)]
        patience = Patience(method, self._timeout_s if timeout_s is None else timeout_s, self._retries)
        return Attempts(request_id, metadata, patience, self._budget)


class Attempts:
    """The attempts at one call.

    Attributes:
        request_id: its number.
        metadata: what is sent with each.
        patience: how long it may still take.
    """

    def __init__(
        self, request_id: str, metadata: list[tuple[str, str]], patience: Patience, budget: RetryBudget
    ) -> None:
        self.request_id, self.metadata, self.patience = request_id, metadata, patience
        self._budget = budget

    @property
    def timeout_s(self) -> float | None:
        """Seconds the next may take, as gRPC wants it."""
        left_s = self.patience.left_s
        return None if left_s == float("inf") else left_s

    def may_be_paid(self, failure: PhonoscopeError) -> bool:
        """Takes the next attempt from the budget; whether there was as much."""
        return self._budget.spend(self.patience.cost(failure))


def seconds(name: str, value: float) -> float:
    """A positive number of seconds.

    Raises:
        InvalidInputError: it is none.
    """
    wanted = "a positive number of seconds"
    found = arguments.number(name, value, wanted)
    if found <= 0:
        raise invalid(name, f"{found:g}; give {wanted}")
    return found
