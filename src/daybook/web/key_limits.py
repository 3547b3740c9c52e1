"""How much one key may ask for, from however many addresses: as much as one address may.

Counted once the key is known to be who it says: a stranger who names a key takes nothing of what it has left.
"""

import math
from typing import Any

from litestar.exceptions import HTTPException

from daybook.web.rates import Rates

STATE = "key_rates"
"""Where the application keeps the counts."""
COUNTED = "daybook.key"
"""Where a request that was counted has its key."""


def begin(connection: Any, key: str | None) -> None:
    """Counts a request of this key in. Raises HTTPException 429 that says when to come again."""
    if key is None or COUNTED in connection.scope:
        return
    rates: Rates = connection.app.state[STATE]
    wait = rates.begin(key)
    if wait is not None:
        raise HTTPException(
            status_code=429,
            detail="more requests than one key may send: repeat this one after Retry-After",
            headers={"Retry-After": str(max(1, math.ceil(wait)))},
        )
    connection.scope[COUNTED] = key


def end(application: Any, scope: Any) -> None:
    """The request is answered, or given up."""
    if (key := scope.get(COUNTED)) is not None:
        rates: Rates = application.state[STATE]
        rates.end(key)
