"""What a webhook says about a push, in Gitea's words."""

from collections.abc import Mapping
from typing import Any

from devstack.gitserver.repositories import NOTHING, Change, Repository

_SOMEONE = "someone"


async def push_payload(
    repository: Repository, change: Change, base: str, pusher: str
) -> Mapping[str, Any]:
    """Describes one changed branch; only its newest commit is told in full.

    A pusher who gave no name is called by the name of the newest commit's author.
    """
    url = f"{base}/{repository.path}"
    page = url.removesuffix(".git")
    commits: list[Mapping[str, Any]] = []
    if change.after != NOTHING:
        head = await repository.commit(change.after)
        pusher = pusher or head.author
        author = {"name": head.author, "email": head.email}
        commits.append(
            {
                "id": head.id,
                "message": head.message,
                "timestamp": head.time,
                "url": f"{page}/commit/{head.id}",
                "author": author,
                "committer": author,
            }
        )
    person = {"login": pusher or _SOMEONE, "username": pusher or _SOMEONE}
    return {
        "ref": f"refs/heads/{change.branch}",
        "before": change.before,
        "after": change.after,
        "commits": commits,
        "head_commit": commits[0] if commits else None,
        "total_commits": len(commits),
        "repository": {
            "name": repository.name,
            "full_name": f"{repository.organization}/{repository.name}",
            "owner": {"login": repository.organization, "username": repository.organization},
            "clone_url": url,
            "html_url": page,
            "default_branch": "main",
        },
        "pusher": person,
        "sender": person,
    }
