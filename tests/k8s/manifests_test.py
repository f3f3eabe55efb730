#!/usr/bin/env python3
"""Renders every overlay of k8s/ and judges what comes out, offline: by Kubernetes' own schemas, where an unknown field
is an error, for the oldest release that the manifests are written for and the newest known; and by the rules of this
house (k8s/README.md). First it proves on planted faults that it sees them. Runs in the venv of scripts/k8s_tools.sh."""

import copy
import pathlib
import subprocess
import sys

import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent / "k8s"
KUBECTL = pathlib.Path(sys.executable).parent / "kubectl"
RELEASES = ("1.29", "1.37")
OVERLAYS = ("dev", "cluster", "prod", "mesh-istio", "mesh-linkerd")
# Whatever runs there beside us, its pods are as confined as ours.
CONFINED = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def rendered(overlay):
    out = subprocess.run([KUBECTL, "kustomize", ROOT / "overlays" / overlay], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"{overlay} does not render: {out.stderr}")
    return list(yaml.safe_load_all(out.stdout))


def name_of(thing):
    return f"{thing['kind']}/{thing['metadata']['name']}"


def against_schema(thing, release):
    try:
        kubernetes_validate.validate(thing, release, strict=True)
    except kubernetes_validate.ValidationError as e:
        yield f"{name_of(thing)} in {release}: {'.'.join(map(str, e.path))}: {e.message}"


def workloads(things):
    return [t for t in things if t["kind"] in ("Deployment", "StatefulSet")]


def about_pod(owner):
    """What is wrong with the pods of one workload."""
    spec = owner["spec"]["template"]["spec"]
    if spec.get("enableServiceLinks") is not False:
        yield "enableServiceLinks is to be false: JUMUN_PORT would be somebody's Service"
    if spec.get("automountServiceAccountToken") is not False:
        yield "a token of Kubernetes is mounted"
    context = spec.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "the pod's securityContext is not `restricted`"
    if not spec.get("topologySpreadConstraints") and owner["metadata"]["name"] != "all-in-one":
        yield "its pods may all be on one node"
    for container in spec.get("initContainers", []) + spec["containers"]:
        if container.get("securityContext") != CONFINED:
            yield f"{container['name']} is not confined"
        if "memory" not in container.get("resources", {}).get("limits", {}):
            yield f"{container['name']} has no limit of memory"
        if "cpu" not in container.get("resources", {}).get("requests", {}):
            yield f"{container['name']} asks for no processor"
    mounts = {m["name"] for c in spec.get("initContainers", []) + spec["containers"] for m in c.get("volumeMounts", [])}
    claims = {c["metadata"]["name"] for c in owner["spec"].get("volumeClaimTemplates", [])}
    volumes = {v["name"] for v in spec.get("volumes", [])} | claims
    if mounts != volumes:
        yield f"mounted {sorted(mounts - volumes)} without a volume, volumes {sorted(volumes - mounts)} for nobody"
    for container in spec["containers"]:
        if any(v["name"] == "authority" for v in container.get("volumeMounts", [])):
            yield f"{container['name']} sees the authority's key"


def about_probes(owner):
    (container,) = [c for c in owner["spec"]["template"]["spec"]["containers"] if c["name"] == "jumun"]
    for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        asked = container.get(probe, {}).get("httpGet", {})
        if (asked.get("path"), asked.get("port")) != (path, "http-ops"):
            yield f"{probe} is not {path} of the ops listener"


def about_going(owner):
    """A pod that is told to go has the time for what it does then, and one that owns shards comes back to serve."""
    spec = owner["spec"]["template"]["spec"]
    (container,) = [c for c in spec["containers"] if c["name"] == "jumun"]
    env = {e["name"]: e.get("value") for e in container.get("env", [])}
    given, needed = spec.get("terminationGracePeriodSeconds", 30), int(env.get("JUMUN_DRAIN_GRACE_MS", 0)) / 1000 + 25
    command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", [])
    if env.get("JUMUN_ROLE") == "shard":
        if "drain" not in command or "--within" not in command:
            yield "it goes without handing its shards over, or without an end to that"
        else:
            needed += int(command[command.index("--within") + 1])
        if env.get("JUMUN_CLUSTER_RESUME") != "true":
            yield "once stopped in mid-drain it never takes part again"
    if given < needed:
        yield f"it is killed after {given} s, and needs {needed:.0f}"


def about_overlay(things):
    """What is wrong with the objects as a whole."""
    kinds = {}
    for thing in things:
        kinds.setdefault(thing["kind"], {})[thing["metadata"]["name"]] = thing
    for owner in workloads(things):
        faults = list(about_pod(owner))
        if owner["metadata"]["labels"]["app.kubernetes.io/name"] == "jumun":
            faults += list(about_probes(owner)) + list(about_going(owner))
        if "all-in-one" not in name_of(owner) and owner["metadata"]["name"] not in kinds.get("PodDisruptionBudget", {}):
            faults.append("has no PodDisruptionBudget")
        if owner["kind"] == "StatefulSet":
            if owner["spec"]["serviceName"] not in kinds["Service"]:
                faults.append(f"its Service {owner['spec']['serviceName']} is not there")
            if owner["spec"].get("persistentVolumeClaimRetentionPolicy") != {"whenDeleted": "Retain", "whenScaled": "Retain"}:
                faults.append("its volumes do not outlive it")
        for fault in faults:
            yield f"{name_of(owner)}: {fault}"
    if kinds["NetworkPolicy"].get("default-deny", {}).get("spec", {}).get("podSelector") != {}:
        yield "NetworkPolicy: nothing is denied by default"
    if "jumun" in kinds["Service"]:
        yield "a Service named jumun"
    for service in kinds["Service"].values():
        for port in service["spec"]["ports"]:
            if not port["name"].startswith(("http", "tls")):
                yield f"{name_of(service)}: a mesh can't tell what port {port['name']} speaks"
    for autoscaler in kinds.get("HorizontalPodAutoscaler", {}).values():
        aim = autoscaler["spec"]["scaleTargetRef"]
        if aim["name"] not in kinds.get(aim["kind"], {}):
            yield f"{name_of(autoscaler)} scales nothing"
        elif "replicas" in kinds[aim["kind"]][aim["name"]]["spec"]:
            yield f"{name_of(autoscaler)} and the manifest disagree on replicas at each apply"


def prove_that_faults_are_seen(things):
    def pod(of):
        return of["spec"]["template"]["spec"]

    def planted(spoil, kind, at=0):
        changed = copy.deepcopy(things)
        spoil([t for t in changed if t["kind"] == kind][at])
        return changed

    strange = planted(lambda d: pod(d).update(enableServiceLink=False), "Deployment")
    assert any(list(against_schema(t, r)) for t in strange for r in RELEASES), "an unknown field passes"
    for spoil, kind, *at in (
            (lambda d: pod(d).update(enableServiceLinks=True), "Deployment"),
            (lambda d: pod(d)["containers"][0]["securityContext"].pop("readOnlyRootFilesystem"), "Deployment"),
            (lambda d: pod(d)["containers"][0].pop("livenessProbe"), "Deployment"),
            (lambda d: d["spec"].update(replicas=2), "Deployment"),
            (lambda d: d["metadata"].update(name="budget"), "PodDisruptionBudget"),
            (lambda d: pod(d).update(terminationGracePeriodSeconds=30), "Deployment"),
            (lambda d: pod(d).update(terminationGracePeriodSeconds=860), "StatefulSet", 1),
            (lambda d: pod(d)["containers"][0]["env"].remove({"name": "JUMUN_CLUSTER_RESUME", "value": "true"}), "StatefulSet", 1),
            (lambda d: d["spec"].pop("persistentVolumeClaimRetentionPolicy"), "StatefulSet"),
            (lambda d: d["spec"]["ports"][0].update(name="caf"), "Service")):
        assert list(about_overlay(planted(spoil, kind, *at))), "a planted fault passes"


def main():
    overlays = {name: rendered(name) for name in OVERLAYS}
    assert not list(about_overlay(overlays["cluster"])), list(about_overlay(overlays["cluster"]))
    prove_that_faults_are_seen(overlays["cluster"])
    faults = []
    for overlay, things in overlays.items():
        found = [f for thing in things for release in RELEASES for f in against_schema(thing, release)]
        faults += [f"{overlay}: {f}" for f in found + list(about_overlay(things))]
        print(f"{overlay}: {len(things)} objects")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
