// Container events: CRI's own GetContainerEvents where the runtime has it (containerd 1.7 and newer),
// otherwise containerd's event service on the same socket. Subscribes again whenever the stream breaks.

import type { Clock, Timer } from "#base/clock.ts";
import { decode } from "./codec.ts";
import type { Channel, ServerStream } from "./channel.ts";
import type { ContainerEvent, EventHandlers, EventWatch } from "./cri.ts";
import type { CriError } from "./errors.ts";
import { eventRetryMsMax, eventRetryMsMin, eventSilenceMs } from "./limits.ts";

interface CriEvent {
  containerId: string;
  containerEventType: string;
}

interface Envelope {
  topic: string;
  event: { type_url: string; value: Uint8Array } | null;
}

const criKinds: Readonly<Record<string, ContainerEvent["kind"]>> = {
  CONTAINER_CREATED_EVENT: "created",
  CONTAINER_STARTED_EVENT: "started",
  CONTAINER_STOPPED_EVENT: "stopped",
  CONTAINER_DELETED_EVENT: "deleted",
};

const containerdKinds: Readonly<Record<string, ContainerEvent["kind"]>> = {
  "/tasks/start": "started",
  "/tasks/exit": "stopped",
  "/tasks/oom": "oom",
  "/containers/create": "created",
  "/containers/delete": "deleted",
};

/** The event in a containerd envelope, if it is about a container as a whole (not one exec in it). */
export function eventOfEnvelope({ topic, event }: Envelope): ContainerEvent | undefined {
  const kind = containerdKinds[topic];
  if (kind === undefined || event === null) return undefined;
  const name = event.type_url.slice(event.type_url.lastIndexOf("/") + 1);
  const body = decode<{ containerId?: string; id?: string }>(name, event.value);
  // An exec's exit carries its own id beside the container's.
  if (kind === "stopped" && body.id !== body.containerId) return undefined;
  const id = body.containerId ?? body.id;
  return id === undefined || id === "" ? undefined : { id, kind };
}

export function watchContainerEvents(channel: Channel, clock: Clock, handlers: EventHandlers): EventWatch {
  let stopped = false;
  let useCri = true;
  let failures = 0;
  let stream: ServerStream | undefined;
  let timer: Timer | undefined;

  const flowing = (): void => {
    failures = 0;
    handlers.onState(true);
  };

  const broken = (error: CriError): void => {
    if (stopped) return;
    if (useCri && error.code === "Unimplemented") {
      useCri = false;
      subscribe();
      return;
    }
    handlers.onState(false);
    failures += 1;
    timer?.cancel();
    const delay = Math.min(eventRetryMsMax, eventRetryMsMin * 2 ** Math.min(failures - 1, 10));
    // The runtime may have been replaced by a newer one: ask for its own events again.
    useCri = true;
    timer = clock.after(delay, subscribe);
  };

  function subscribeCri(): ServerStream {
    return channel.stream<CriEvent>(
      {
        service: "runtime.v1.RuntimeService",
        name: "GetContainerEvents",
        request: "runtime.v1.GetEventsRequest",
        response: "runtime.v1.ContainerEventResponse",
      },
      {},
      {},
      {
        onOpen: flowing,
        onMessage: (message) => {
          const kind = criKinds[message.containerEventType];
          if (kind !== undefined) handlers.onEvent({ id: message.containerId, kind });
        },
        onEnd: broken,
      },
    );
  }

  function subscribeContainerd(): ServerStream {
    return channel.stream<Envelope>(
      {
        service: "containerd.services.events.v1.Events",
        name: "Subscribe",
        request: "containerd.services.events.v1.SubscribeRequest",
        response: "containerd.types.Envelope",
      },
      { filters: ['topic~="^/tasks/(start|exit|oom)$|^/containers/(create|delete)$"'] },
      { "containerd-namespace": "k8s.io" },
      {
        onOpen: flowing,
        onMessage: (envelope) => {
          const event = eventOfEnvelope(envelope);
          if (event !== undefined) {
            if (failures > 0) flowing();
            handlers.onEvent(event);
          }
        },
        onEnd: broken,
      },
    );
  }

  function subscribe(): void {
    if (stopped) return;
    stream = useCri ? subscribeCri() : subscribeContainerd();
    // The runtime answers with its first event, which may be long in coming: silence without an error is an answer too.
    timer?.cancel();
    timer = clock.after(eventSilenceMs, flowing);
  }

  subscribe();
  return {
    stop() {
      stopped = true;
      timer?.cancel();
      stream?.cancel();
    },
  };
}
