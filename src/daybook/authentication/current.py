"""The access state of this process, kept fresh: a check looks at memory, and a revoked key is refused within a second.

Hazard: a process that can't ask Postgres does not know what was revoked. What it knows is trusted for a few seconds,
in which requests fail for want of Postgres anyway, and then for nothing.
"""

import asyncio
import hashlib
import threading
import time
from datetime import UTC, datetime

from daybook.access.authority import Denied, Principal, authenticate, identified
from daybook.access.identities import IssuedSubject
from daybook.access.keys import PREFIX, parse
from daybook.access.state import NOBODY, AccessGrant, AccessState
from daybook.authentication.refusals import Refusals
from daybook.authentication.uses import Uses
from daybook.errors import Unauthenticated, Unavailable
from daybook.events.access import AccessRefused
from daybook.identity.bearer import BearerTokens
from daybook.log.application import Log
from daybook.log.reader import Reader
from daybook.postgres.pool import Pool

FRESH_SECONDS = 0.5
"""What is younger is taken as it is. With the look itself, a revocation is seen well within a second."""
WAITED_SECONDS = 0.8
"""What is older is not taken while somebody else is looking: everybody waits for that look."""
TRUSTED_SECONDS = 5.0
"""What is older is not taken when Postgres can't be asked."""
PROVEN_MAX = 1_000
"""Keys that are remembered from one look to the next."""
MALFORMED = "this is no key of Daybook, or it was mistyped or cut: a key is `dbk_` and 60 characters"


class CurrentAccess:
    """Who may do what, as this process knows it. Thread-safe; one for each process."""

    def __init__(
        self, reader: Reader, log: Log, pool: Pool, base: AccessState = NOBODY, tokens: BearerTokens | None = None
    ) -> None:
        """`base`: who is known besides those in the log. For tests, which begin with an owner and an empty log.

        `tokens`: those of identity providers; none are taken without it.
        """
        self.tokens = tokens or BearerTokens(())
        self._reader = reader
        self._base = base
        self._lock = threading.Lock()
        self._state, self._seen_at = NOBODY, -TRUSTED_SECONDS
        self._looking: asyncio.Task[AccessState] | None = None
        self._proven: dict[bytes, Principal] = {}
        """Hash of a key that was shown since the last look -> whose it is. A busy client shows one all the time."""
        self.uses = Uses(pool)
        self.refusals = Refusals(log)

    def state(self) -> AccessState:
        """The state, looked up when it is older than half a second. Blocks for that. Raises Unavailable."""
        if time.monotonic() - self._seen_at < FRESH_SECONDS:
            return self._state
        with self._lock:
            if time.monotonic() - self._seen_at < FRESH_SECONDS:
                return self._state
            return self._look()

    async def fresh(self) -> AccessState:
        """The same without blocking the loop. Raises Unavailable."""
        age = time.monotonic() - self._seen_at
        if age < FRESH_SECONDS:
            return self._state
        if self._looking is None:
            self._looking = asyncio.create_task(asyncio.to_thread(self.state))
            self._looking.add_done_callback(self._looked)
        if age < WAITED_SECONDS:
            return self._state
        # Shielded: a caller that leaves must not take the others' look away.
        return await asyncio.shield(self._looking)

    def _looked(self, task: "asyncio.Task[AccessState]") -> None:
        self._looking = None
        if not task.cancelled():
            task.exception()  # nobody may have waited for it; the next look fails again

    def _look(self) -> AccessState:
        begun = time.monotonic()
        try:
            state = self._reader.access()
        except Unavailable:
            if begun - self._seen_at < TRUSTED_SECONDS:
                return self._state
            raise
        self._state = _both(self._base, state) if self._base.users else state
        self._seen_at, self._proven = begun, {}
        self.uses.flush()
        return self._state

    async def principal(self, authorization: str | None) -> Principal:
        """Who the request's `Authorization` names. Raises Unauthenticated, and Unavailable.

        One that is refused although the key is known, a secret that is wrong, and somebody whom an issuer knows and we
        don't, are told to the log.
        """
        if authorization is None:
            raise Unauthenticated(await self._without_key())
        scheme, _, credential = authorization.partition(" ")
        text = credential.strip() if scheme.lower() == "bearer" else ""
        if self.tokens.taken and text and not text.startswith(PREFIX):
            return await self._of_token(text)
        # Taken before the state is: what an older state says of a key must not stand among what a newer one does.
        proven, mark = self._proven, hashlib.sha256(text.encode()).digest()
        state = await self.fresh()
        if (principal := proven.get(mark)) is not None and proven is self._proven:
            return principal
        shown = parse(text)
        if shown is None:
            raise Unauthenticated(MALFORMED)
        found = authenticate(state, shown, datetime.now(UTC))
        if isinstance(found, Denied):
            known = found.reason not in ("unknown_key",)
            await self.refuse(AccessRefused(reason=found.reason, key=shown.id if known else None))
            raise Unauthenticated(found.message)
        if len(proven) < PROVEN_MAX:
            proven[mark] = found
        return found

    async def _of_token(self, text: str) -> Principal:
        subject = await self.tokens.subject(text)
        return await self.of_subject(IssuedSubject(subject.issuer, subject.subject))

    async def of_subject(self, shown: IssuedSubject) -> Principal:
        """The user for whom an issuer has vouched. Raises Unauthenticated, and Unavailable."""
        found = identified(await self.fresh(), shown)
        if isinstance(found, Denied):
            user = (await self.fresh()).subjects.get(shown.hashed())
            await self.refuse(AccessRefused(reason=found.reason, user=user, asked={"issuer": shown.issuer[:100]}))
            raise Unauthenticated(found.message, reason=found.reason)
        return found

    async def _without_key(self) -> str:
        if not (await self.fresh()).anybody:
            return NOBODY_YET
        return NO_KEY

    async def refuse(self, refused: AccessRefused) -> None:
        """Tells the log of a refusal, unless it was told of the same within a minute."""
        if self.refusals.due(refused):
            await asyncio.to_thread(self.refusals.tell, refused)

    def used(self, principal: Principal, grants: tuple[AccessGrant, ...]) -> None:
        """Notes that these grants were used with the principal's key. Costs no look-up."""
        shown = principal.rests_on or principal.credential
        if shown is not None:
            for one in grants:
                self.uses.note(shown, one.grant)


NO_KEY = (
    "no key: send `Authorization: Bearer dbk_…`. On the machine of the data folder `daybook key local` prints one; "
    "elsewhere an owner makes one, `daybook key make USER`"
)
NOBODY_YET = (
    "nobody may use the API yet: make an owner and a key with `daybook user add NAME --owner`, where the data folder "
    "or DAYBOOK_POSTGRES is at hand"
)


def _both(base: AccessState, state: AccessState) -> AccessState:
    return AccessState(
        base.users | state.users,
        base.keys | state.keys,
        base.logins | state.logins,
        base.subjects | state.subjects,
        state.position,
    )
