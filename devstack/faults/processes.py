"""Faults of processes: one is down, or stands still."""

from devstack.faults.model import Act, Fault, World

_DOWN = {
    # component: (name of the fault's subject, profile)
    "kube-apiserver": ("api-server", "core"),
    "etcd": ("etcd", "core"),
    "temporal": ("temporal", "core"),
    "openbao": ("openbao", "core"),
    "registry": ("registry", "full"),
    "argo": ("argo", "full"),
    "git": ("git", "full"),
    "kubelet": ("kubelet", "full"),
    "worker": ("worker", "core"),
    "api": ("api", "core"),
}
_FROZEN = ("kube-apiserver", "temporal", "openbao", "registry", "worker")


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        *(_down(component, subject, profile) for component, (subject, profile) in _DOWN.items()),
        *(_restarted(component, *_DOWN[component]) for component in _DOWN),
        *(_frozen(component, *_DOWN[component]) for component in _FROZEN),
    ]


def _down(component: str, subject: str, profile: str) -> Fault:
    async def begin(world: World, _: str) -> None:
        await world.component(component).hold()

    return Fault(
        name=f"{subject}-down",
        family="processes",
        breaks=f"{component} is stopped and refuses connections",
        undone=f"{component} is started again and awaited",
        begin=begin,
        end=_started(component),
        profile=profile,
    )


def _restarted(component: str, subject: str, profile: str) -> Fault:
    async def begin(world: World, _: str) -> None:
        world.component(component).kill()

    return Fault(
        name=f"{subject}-killed",
        family="processes",
        breaks=f"{component} is killed without warning",
        undone="the supervisor starts it again at once",
        begin=begin,
        profile=profile,
    )


def _frozen(component: str, subject: str, profile: str) -> Fault:
    async def begin(world: World, _: str) -> None:
        world.component(component).freeze()

    async def end(world: World, _: str) -> None:
        world.component(component).thaw()

    return Fault(
        name=f"{subject}-frozen",
        family="processes",
        breaks=f"{component} stands still (SIGSTOP): it takes connections and answers nothing",
        undone="it goes on (SIGCONT)",
        begin=begin,
        end=end,
        profile=profile,
    )


def _started(component: str) -> Act:
    async def end(world: World, _: str) -> None:
        controls = world.component(component)
        controls.resume()
        await controls.wait_ready()

    return end
