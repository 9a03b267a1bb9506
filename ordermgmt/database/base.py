"""The connection: its prepared statements, and whether it still stands, without a round trip.

Django's own check is a `SELECT 1`, a twentieth of what a capture costs. A server that restarts or
ends a session closes the socket, and that can be seen on this side. A connection cut in silence
looks the same to both checks: the first statement finds out, within `tcp_user_timeout`.
"""

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import ConnStatus

from ordermgmt.database.prepared import Prepared


class DatabaseWrapper(base.DatabaseWrapper):
    prepared: Prepared

    def init_connection_state(self) -> None:
        self.prepared = Prepared(self.connection)  # first: what follows may fail
        super().init_connection_state()

    def is_usable(self) -> bool:
        """Whether the server has not hung up on this connection."""
        if self.connection is None or self.connection.closed:
            return False
        line = self.connection.pgconn
        try:
            line.consume_input()  # waits for nothing; a last word comes before the end of the line
            line.consume_input()
        except OperationalError:
            return False
        return bool(line.status == ConnStatus.OK)
