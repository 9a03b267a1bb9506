"""The connection: asked before each request whether it still stands, without a round trip.

Django's own check is a `SELECT 1`, a twentieth of what a capture costs. A server that restarts or
ends a session closes the socket, and that can be seen on this side. A connection cut in silence
looks the same to both checks: the first statement finds out, within `tcp_user_timeout`.
"""

import select

from django.db.backends.postgresql import base
from psycopg import OperationalError
from psycopg.pq import ConnStatus


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self) -> bool:
        """Whether the server has not hung up on this connection."""
        if self.connection is None or self.connection.closed:
            return False
        line = self.connection.pgconn
        try:
            while select.select([line.socket], [], [], 0)[0]:
                line.consume_input()  # a last word first, then the end of the line
                if line.status != ConnStatus.OK:
                    return False
        except (OperationalError, OSError, ValueError):
            return False
        return bool(line.status == ConnStatus.OK)
