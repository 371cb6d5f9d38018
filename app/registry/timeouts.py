"""How long anything of the database may take: the one place that says so."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DatabaseTimeouts:
    """Seconds after which waiting for the database ends with an error.

    ``statement`` and ``lock`` are watched by PostgreSQL, ``lock`` on SQLite by its busy timeout;
    ``pool``: for a free connection. ``answer`` is watched on this side, for a server whose host
    froze watches nothing any more. A host that vanished is noticed after ``vanished``: by
    unacknowledged data, or by three probes on a connection on which nothing else happens.
    """

    connect: int = 5
    pool: float = 5.0
    lock: float = 5.0
    statement: float = 10.0
    answer: float = 12.0
    vanished: int = 10

    def postgresql(self) -> dict[str, int | str]:
        """Return these as arguments of a PostgreSQL connection."""
        idle = max(1, self.vanished // 2)
        interval = max(1, (self.vanished - idle) // 3)
        options = {
            "lock_timeout": round(self.lock * 1000),
            "statement_timeout": round(self.statement * 1000),
            # A client that dies in a transaction must not keep its locks from the others.
            "idle_in_transaction_session_timeout": 60_000,
            "tcp_keepalives_idle": 10,
            "tcp_keepalives_interval": 5,
            "tcp_keepalives_count": 3,
        }
        return {
            "connect_timeout": self.connect,
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "keepalives": 1,
            "keepalives_idle": idle,
            "keepalives_interval": interval,
            "keepalives_count": 3,
            "tcp_user_timeout": self.vanished * 1000,
        }


IN_SERVICE = DatabaseTimeouts()
#: At the start nobody waits for an answer yet, but an administrator wants to know within 10 s.
AT_START = DatabaseTimeouts(lock=8.0, statement=300.0, answer=310.0)
#: A probe is to tell within 2 s; PostgreSQL's library takes no shorter time to connect.
OF_A_PROBE = DatabaseTimeouts(connect=2, pool=1.0, lock=1.0, statement=1.2, answer=1.4)
