"""What a successful build leaves: an artifact, and a binding that wants it."""

from __future__ import annotations

from activities.common.kinds import platform
from activities.common.reading import find, listed
from activities.promotions.enforcement import pipeline_of
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import BuildRecord
from domain.errors import Conflict, InvalidRequest
from domain.rendering import labels as names
from domain.resources import (
    Build,
    Component,
    DeployableArtifact,
    Metadata,
)
from domain.resources.binding import Binding
from domain.resources.build import ArtifactScan, DeployableArtifactSpec
from domain.resources.families import class_name, family_of


async def write_artifact(cluster: Cluster, record: BuildRecord) -> str:
    """Creates the artifact of a build and returns its name.

    Idempotent: named by content, so equal content is the same artifact.
    """
    plan, outcome = record.plan, record.outcome
    spec = DeployableArtifactSpec(
        component_ref=plan.component,
        image=outcome.image,
        commit=plan.commit,
        branch=plan.branch,
        build_ref=plan.name,
        build_seconds=_seconds(record),
        test_report=outcome.test_report,
        base_images=outcome.base_images,
        authors=outcome.authors,
        template=plan.template,
        template_digest=outcome.template_digest,
        sbom=outcome.sbom,
        provenance=outcome.provenance,
        scan=ArtifactScan(**outcome.scan.model_dump()),
    )
    identity = {"image": spec.image, "commit": spec.commit}
    artifact = DeployableArtifact(
        metadata=Metadata(
            name=ids.content_name(plan.component, identity),
            namespace=plan.organization,
            labels=labels(plan.organization, plan.project, plan.component),
        ),
        spec=spec,
    )
    try:
        await cluster.create(artifact.manifest())
    except Conflict:
        return artifact.name
    return artifact.name


def _seconds(record: BuildRecord) -> float | None:
    if record.started is None or record.finished is None:
        return None
    return round(max((record.finished - record.started).total_seconds(), 0.0), 3)


async def bind_first_environment(
    cluster: Cluster, component: Component, artifact: str, build: Build
) -> str:
    """Points the binding of the pipeline's first environment to an artifact; returns its name.

    Idempotent. Empty when the binding already wants what a later build of the component made.

    Raises:
        InvalidRequest: The project, its pipeline or the first environment cannot be found.
    """
    environment = await first_environment(cluster, component)
    name = ids.binding_name(component.name, environment)
    await _ensure_instance(cluster, component)
    binding = await find(cluster, family_of(component).binding, name, component.namespace)
    if binding is None:
        return await create_binding(cluster, component, environment, artifact)
    if await _is_newer(cluster, binding.artifact, build):
        return ""
    await cluster.patch(
        platform(binding.kind), name, component.namespace, {"spec": {"artifactRef": artifact}}
    )
    return name


async def first_environment(cluster: Cluster, component: Component) -> str:
    """Returns the environment into which new artifacts of a component go.

    Raises:
        InvalidRequest: The pipeline cannot be found or has no single first environment.
    """
    pipeline = await pipeline_of(cluster, component)
    if not pipeline.first_environment:
        problems = "; ".join(pipeline.problems()) or "it has no promotion path"
        raise InvalidRequest(f"DeploymentPipeline {pipeline.name}: {problems}")
    return pipeline.first_environment


async def create_binding(
    cluster: Cluster, component: Component, environment: str, artifact: str
) -> str:
    """Creates the binding of a component to an environment and returns its name.

    Idempotent: one that was created meanwhile is pointed to the artifact.
    """
    binding = new_binding(component, environment, artifact)
    try:
        await cluster.create(binding.manifest())
    except Conflict:
        wanted = {"spec": {"artifactRef": artifact}}
        kind = platform(binding.kind)
        await cluster.patch(kind, binding.name, component.namespace, wanted)
    return binding.name


def new_binding(component: Component, environment: str, artifact: str) -> Binding:
    """Returns the binding of a component to an environment, of the component's own type."""
    model = family_of(component).binding
    return model.model_validate(
        {
            "metadata": Metadata(
                name=ids.binding_name(component.name, environment),
                namespace=component.namespace,
                labels={
                    **labels(component.namespace, component.project, component.name),
                    names.ENVIRONMENT: environment,
                },
            ),
            "spec": {
                **model.class_named(class_name(component)),
                "environment_ref": environment,
                "component_ref": component.name,
                "artifact_ref": artifact,
            },
        }
    )


def labels(organization: str, project: str, component: str) -> dict[str, str]:
    """Returns the labels by which the resources of a component are found."""
    return {
        names.ORGANIZATION: organization,
        names.PROJECT: project,
        names.COMPONENT: component,
    }


async def _ensure_instance(cluster: Cluster, component: Component) -> None:
    """Creates the typed instance of a component; a person's own one is left as it is."""
    model = family_of(component).instance
    instances = await listed(cluster, model, component.namespace)
    if any(instance.component == component.name for instance in instances):
        return
    instance = model.model_validate(
        {
            "metadata": Metadata(
                name=component.name,
                namespace=component.namespace,
                labels=labels(component.namespace, component.project, component.name),
            ),
            "spec": {
                "component_ref": component.name,
                **model.class_named(class_name(component)),
            },
        }
    )
    await cluster.apply(instance.manifest())


async def _is_newer(cluster: Cluster, artifact: str, build: Build) -> bool:
    """Tells whether an artifact was made by a build that began after ``build``."""
    wanted = await find(cluster, DeployableArtifact, artifact, build.namespace)
    if wanted is None or not wanted.spec.build_ref or wanted.spec.build_ref == build.name:
        return False
    made_by = await find(cluster, Build, wanted.spec.build_ref, build.namespace)
    if made_by is None or made_by.status.started is None or build.status.started is None:
        return False
    return made_by.status.started > build.status.started
