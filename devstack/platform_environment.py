"""Where Pavane's own processes listen and keep things, whoever starts them."""

from devstack.context import StackContext
from devstack.webhooks import webhook_folder

_LOOPBACK = "127.0.0.1"


def environment(context: StackContext) -> dict[str, str]:
    """Where the platform's processes listen and keep things, whoever starts them."""
    api = f"{_LOOPBACK}:{context.ports['api']}"
    objects = context.state.data / "objects"
    objects.mkdir(parents=True, exist_ok=True)
    decisions = context.pki.signing_key("approvals")
    return {
        "PAVANE_API__LISTEN": api,
        "PAVANE_API__URL": f"http://{api}",
        "PAVANE_API__ADMIN_GROUP": "platform-engineers",
        "PAVANE_API__WEBHOOK_SECRETS": str(webhook_folder(context.state)),
        "PAVANE_APPROVALS__SIGNING_KEY": str(decisions.private),
        "PAVANE_APPROVALS__VERIFY_KEYS": str(decisions.public),
        "PAVANE_OBJECTS__URL": objects.as_uri(),
        "PAVANE_RECORDS__URL": f"sqlite:///{context.state.data / 'records' / 'records.db'}",
        "PAVANE_WORKER__LISTEN": f"{_LOOPBACK}:{context.ports['worker']}",
        "PAVANE_WORKER__PLANE": "local",
    }
