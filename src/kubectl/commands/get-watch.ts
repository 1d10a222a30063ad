// `kubectl get -w`: what is there, and then every change of it as it comes, until the server or the user ends it.

import { collectBody, readLines } from "#client/body.ts";
import { errorFromAnswer, resourcePath } from "#client/client.ts";
import type { SharedEvent } from "#machinery/api-request.ts";
import type { KubeObject } from "#machinery/meta.ts";
import { ApiError, isApiError, type Status } from "#machinery/status.ts";
import { CommandError, ExitCode, type Context } from "../command.ts";
import { isNetworkFailure } from "../network-failure.ts";
import { itemsWithKinds } from "../printers/list-items.ts";
import type { ObjectPrinter } from "../printers/objects.ts";
import { watchEventPrinter } from "../printers/watch-event.ts";
import { alignCells } from "../printers/tab-writer.ts";
import { headerCells, rowCells, type Table, type TableColumn, type TableOptions } from "../printers/table.ts";
import { fetchTarget } from "../targets/fetch.ts";
import { resolveTargets, type Target } from "../targets/resolve.ts";
import { tableOf, tableOptions, tableRequest } from "./get-table.ts";

/** The longest word for what can happen: MODIFIED. */
const eventWidth = 8;

type EventType = SharedEvent["type"];

/** Prints objects one by one, each with what happened to it. */
interface EventPrinter {
  print(object: KubeObject, type: EventType): void;
}

/** Rows under one header; widths only grow, so that later rows stay in line. */
class TablePrinter implements EventPrinter {
  private readonly context: Context;
  private readonly options: TableOptions;
  private readonly widths: number[] = [];
  private columns: readonly TableColumn[] = [];
  private headed: boolean;

  constructor(context: Context, target: Target) {
    this.context = context;
    this.options = tableOptions(context, target.resource, false);
    this.headed = context.flags.bool("no-headers");
  }

  print(object: KubeObject, type: EventType): void {
    const table: Table = tableOf(object, this.context.io.now());
    // Only the first event of a watch says what the columns are.
    this.columns = table.columnDefinitions ?? this.columns;
    const rows = table.rows ?? [];
    if (rows.length === 0) return;
    const withEvent = this.context.flags.bool("output-watch-events");
    const lines = rowCells(this.columns, rows, this.options);
    if (!this.headed) lines.unshift(headerCells(this.columns, this.options));
    const events = lines.map((_, index) => (!this.headed && index === 0 ? "EVENT" : type).padEnd(eventWidth));
    this.headed = true;
    const cells = withEvent ? lines.map((line, index) => [events[index] as string, ...line]) : lines;
    this.context.print(alignCells(cells, this.widths));
  }
}

function objectEvents(context: Context, printer: ObjectPrinter): EventPrinter {
  const format = context.flags.string("output");
  const withEvents = context.flags.bool("output-watch-events");
  const asEvent = withEvents ? watchEventPrinter(format, printer) : undefined;
  return {
    print: (object, type) => context.print(asEvent === undefined ? printer(object) : asEvent(object, type)),
  };
}

export async function getWatch(
  context: Context,
  args: readonly string[],
  printer: ObjectPrinter | undefined,
): Promise<void> {
  const { flags } = context;
  if (flags.string("sort-by") !== "")
    context.printError("warning: --watch requested, --sort-by will be ignored for watch events received\n");
  const { targets, errors } = await resolveTargets(context, args);
  if (errors.length > 0) throw errors[0] as Error;
  const [target] = targets;
  if (target === undefined) return;
  if (new Set(targets.map(({ resource }) => resource)).size > 1)
    throw new CommandError("you may only specify a single resource type");
  const request = printer === undefined ? tableRequest(context) : { chunkSize: flags.int("chunk-size") };
  const events = printer === undefined ? new TablePrinter(context, target) : objectEvents(context, printer);
  let current: KubeObject = {};
  for (const each of targets) {
    try {
      current = await fetchTarget(context, each, request);
    } catch (thrown) {
      if (flags.bool("ignore-not-found") && isApiError(thrown, "NotFound")) return;
      throw thrown;
    }
    if (!flags.bool("watch-only"))
      for (const item of printer === undefined ? [current] : itemsWithKinds(current))
        events.print(item, "ADDED");
  }
  if (targets.length > 1)
    throw new CommandError("you may only watch a single resource or type of resource at a time");
  await follow(context, target, current.metadata?.resourceVersion ?? "", request.accept, events);
}

async function follow(
  context: Context,
  { resource, namespace, name }: Target,
  resourceVersion: string,
  accept: string | undefined,
  events: EventPrinter,
): Promise<void> {
  const { flags, io } = context;
  const ended = new AbortController();
  const stops = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((signal) =>
    io.onSignal(signal, () => ended.abort()),
  );
  const query = new URLSearchParams({ watch: "true", resourceVersion });
  const fields = name === undefined ? flags.string("field-selector") : `metadata.name=${name}`;
  if (fields !== "") query.set("fieldSelector", fields);
  if (flags.string("selector") !== "") query.set("labelSelector", flags.string("selector"));
  try {
    const client = await context.client();
    const answer = await client.raw({
      method: "GET",
      path: resourcePath(resource, namespace),
      query: query.toString(),
      headers: { accept: accept ?? "application/json" },
      signal: ended.signal,
    });
    if (answer.status >= 400)
      throw errorFromAnswer(answer.status, (await collectBody(answer.body)).toString());
    for await (const batch of readLines(answer.body))
      for (const line of batch) {
        const { type, object } = JSON.parse(line) as SharedEvent;
        if (type === "ERROR") throw new ApiError(object as unknown as Status);
        if (type !== "BOOKMARK") events.print(object, type);
      }
  } catch (thrown) {
    if (ended.signal.aborted) throw new ExitCode(1);
    // The time that --request-timeout gave is over, or the server went away in the middle: the watch ends.
    const code = (thrown as { code?: string }).code ?? "";
    if (!isNetworkFailure(thrown) && ["ETIMEDOUT", "ECONNRESET"].includes(code)) return;
    throw thrown;
  } finally {
    for (const stop of stops) stop();
  }
}
