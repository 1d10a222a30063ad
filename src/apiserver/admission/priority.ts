// Priority: a pod gets the number of the class that it names, or of the class for pods that name none. Of these there
// is one at most, and the system's own classes stay.

import type { KubeObject } from "#machinery/meta.ts";
import { forbiddenError, type ApiError } from "#machinery/status.ts";
import { systemPriorityClasses } from "#resources/scheduling/priority-class.ts";
import type { AdmissionPlugin, AdmissionReads, AdmissionRequest } from "./contract.ts";

interface PodObject extends KubeObject {
  spec?: { priorityClassName?: string; priority?: number; preemptionPolicy?: string };
}

interface ClassObject extends KubeObject {
  value?: number;
  globalDefault?: boolean;
  preemptionPolicy?: string;
}

const group = "scheduling.k8s.io";
const classes = "priorityclasses";
/** What pods are without any class. */
const ordinary: ClassObject = { value: 0, preemptionPolicy: "PreemptLowerPriority" };

const refuse = ({ resource, name, object }: AdmissionRequest, why: string): ApiError =>
  forbiddenError(resource, name || (object?.metadata?.name ?? object?.metadata?.generateName ?? ""), why);

/** The class of pods that name none; the least important, should there be several. */
async function defaultClass(reads: AdmissionReads): Promise<ClassObject | undefined> {
  let found: ClassObject | undefined;
  for (const one of await reads.list<ClassObject>(group, classes, ""))
    if (one.globalDefault === true && (found === undefined || (one.value ?? 0) < (found.value ?? 0)))
      found = one;
  return found;
}

async function resolvePod(request: AdmissionRequest, reads: AdmissionReads): Promise<void> {
  const { spec } = request.object as PodObject;
  if (spec === undefined) return;
  const named = spec.priorityClassName ?? "";
  const found =
    named === "" ? await defaultClass(reads) : await reads.get<ClassObject>(group, classes, "", named);
  if (named !== "" && found === undefined)
    throw refuse(request, `no PriorityClass with name ${named} was found`);
  const { value = 0, preemptionPolicy, metadata } = found ?? ordinary;
  if (metadata?.name !== undefined) spec.priorityClassName = metadata.name;
  const computed = "must not be provided in pod spec; priority admission controller computed";
  const source = "from the given PriorityClass name";
  if (spec.priority !== undefined && spec.priority !== value)
    throw refuse(request, `the integer value of priority (${spec.priority}) ${computed} ${value} ${source}`);
  spec.priority = value;
  if (preemptionPolicy === undefined) return;
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
    throw refuse(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) ${computed} ${preemptionPolicy} ${source}`,
    );
  spec.preemptionPolicy = preemptionPolicy;
}

/** A pod keeps what it was given, also for clients that do not know these fields and leave them out. */
function keepOfPod({ object, old }: AdmissionRequest): void {
  const [{ spec }, { spec: before }] = [object as PodObject, old as PodObject];
  if (spec === undefined || before === undefined) return;
  if (before.priority !== undefined) spec.priority ??= before.priority;
  if (before.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
}

async function checkClass(request: AdmissionRequest, reads: AdmissionReads): Promise<void> {
  const { operation, name, object } = request;
  if (operation === "DELETE") {
    if (systemPriorityClasses.some(({ metadata }) => metadata?.name === name))
      throw refuse(request, "this is a system priority class and cannot be deleted");
    return;
  }
  const { globalDefault, metadata } = object as ClassObject;
  if (globalDefault !== true) return;
  const other = (await defaultClass(reads))?.metadata?.name;
  if (other !== undefined && (operation === "CREATE" || other !== metadata?.name))
    throw refuse(request, `PriorityClass ${other} is already marked as default. Only one default can exist`);
}

export function priorityAdmission(reads: AdmissionReads): AdmissionPlugin {
  return {
    name: "Priority",
    resources: new Set(["/pods", "scheduling.k8s.io/priorityclasses"]),
    async mutate(request) {
      const { operation, resource, subresource } = request;
      if (resource.group !== "" || resource.resource !== "pods" || subresource !== "") return;
      if (operation === "CREATE") await resolvePod(request, reads);
      else if (operation === "UPDATE") keepOfPod(request);
    },
    async validate(request) {
      const { resource, subresource } = request;
      if (resource.group === group && resource.resource === classes && subresource === "")
        await checkClass(request, reads);
    },
  };
}
