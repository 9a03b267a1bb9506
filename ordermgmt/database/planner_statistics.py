"""PostgreSQL's planner hears of tables that are no longer empty, before autovacuum finds them.

Of a table it never analyzed it assumes that whatever it looks up is one row, so every index that
begins with the tenant seems as good as the right one. Our statements, and the checks of foreign
keys, are planned once a connection: until autovacuum comes, by default within a minute, each
capture into a new installation would read all orders of its tenant ten times (docs/adr/0022).
"""

import logging
from typing import Final

from django.db import DatabaseError, connection

ENOUGH: Final = 100  # rows, that tell something of those to come

log: Final = logging.getLogger(__name__)

# Tables of others we may not analyze: where migrations have a role of their own, it is autovacuum
# that does.
_UNKNOWN: Final = """
SELECT format('%%I.%%I', s.schemaname, s.relname)
  FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
 WHERE s.schemaname = current_schema() AND c.reltuples <= 0 AND s.n_live_tup >= %s
   AND pg_has_role(c.relowner, 'USAGE')
 ORDER BY s.relname
"""


def introduce() -> list[str]:
    """Analyze our tables that have rows, but had none when last analyzed, or never were.

    Once is enough: from then on the planner reckons with their size as it finds it. Returns the
    tables that were tried; one that is locked, or fails, is tried again the next time. Not to be
    called in a transaction, which would keep the locks.
    """
    if connection.in_atomic_block:
        raise RuntimeError("Tables are introduced outside of transactions.")
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [ENOUGH])
        unknown = [name for (name,) in cursor.fetchall()]
        for name in unknown:
            try:
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {name}")
            except DatabaseError as fault:
                log.warning("the table %s could not be analyzed: %s", name, fault)
    return unknown
