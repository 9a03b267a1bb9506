"""Examples of the OpenAPI document: the published samples and the documented refusals."""

import json
from pathlib import Path
from typing import Any, Final

_SAMPLES: Final = Path(__file__).parent / "samples"


def sample(name: str) -> Any:
    """Return the JSON body in the file `samples/<name>.json`."""
    return json.loads((_SAMPLES / f"{name}.json").read_text())


CAPTURES: Final = {
    "Sold in a store": sample("capture"),
    "From a web shop": sample("capture_injection"),
}
DETAIL: Final = sample("detail")
HISTORY: Final = sample("history")

EXTERNAL_DETAIL: Final = sample("external_detail")
EXTERNAL_HISTORY: Final = sample("external_history")
EXTERNAL_HISTORY_V1: Final = sample("external_history_v1")

NO_CUSTOMER: Final = "Query param 'customer_id' is required."

# Status → error code → message, as docs/contract.md, Capture, has them.
CAPTURE_PROBLEMS: Final = {
    400: {
        "bad_request": (
            "Validation of capture order failed with error: 'items' is a required property."
        )
    },
    409: {
        "conflict": "Order capture payload is conflicting with existing database records.",
    },
    500: {
        "internal_server_error": "Sequence for tenant is not configured.",
        "sequence_exhausted": "All order numbers of the tenant's sequence have been given out.",
    },
}
# The same for reads of an external OMS: docs/contract.md, External lookups.
EXTERNAL_PROBLEMS: Final = {
    409: {
        "conflict": (
            "Failed JSON schema validation with schema /opt/schema.json."
            ' Error: "orders" is a required attribute.'
        )
    },
    412: {"precondition_error": "API Key is required to access external OMS"},
    503: {"external_server_error": "API Key to the webhook is expired"},
}
