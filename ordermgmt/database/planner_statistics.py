"""Planner statistics for new tables, before autovacuum analyzes them.

The planner assumes one matching row in a table that was never analyzed, so every index that begins
with the tenant seems as good as the right one. Our statements and foreign key checks are planned
once per connection. Until autovacuum runs, by default within a minute, each capture into a new
installation would read all orders of its tenant ten times (docs/adr/0022).
"""

import logging
from typing import Final

from django.db import DatabaseError, connection

ENOUGH: Final = 100  # rows, enough for useful statistics

log: Final = logging.getLogger(__name__)

# We may analyze only our role's tables. When migrations have a role of their own, autovacuum does.
_UNKNOWN: Final = """
SELECT format('%%I.%%I', s.schemaname, s.relname)
  FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
 WHERE s.schemaname = current_schema() AND c.reltuples <= 0 AND s.n_live_tup >= %s
   AND pg_has_role(c.relowner, 'USAGE')
 ORDER BY s.relname
"""


def analyze_new_tables() -> list[str]:
    """Analyze our tables that have rows, but had none when last analyzed, or never were.

    Once is enough, because the planner then uses the current size. Return the tables that were
    tried; a locked or failed one is tried again next time. Raise RuntimeError in a transaction,
    which would keep the locks.
    """
    if connection.in_atomic_block:
        raise RuntimeError("Tables are analyzed outside of transactions.")
    with connection.cursor() as cursor:
        cursor.execute(_UNKNOWN, [ENOUGH])
        unknown = [name for (name,) in cursor.fetchall()]
        for name in unknown:
            try:
                cursor.execute(f"ANALYZE (SKIP_LOCKED) {name}")
            except DatabaseError as fault:
                log.warning("the table %s could not be analyzed: %s", name, fault)
    return unknown
