// This machine's size, identity and present load, read from the kernel.

import { availableParallelism, totalmem } from "node:os";
import { readFileSync, statfsSync } from "node:fs";
import { readIfExists } from "#host/files.ts";
import type { MachineFacts } from "./plan/node-status.ts";

const architectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

const first = (...paths: readonly string[]): string =>
  paths.map((path) => readIfExists(path)?.trim()).find((text) => text !== undefined && text !== "") ?? "";

interface Fixed {
  readonly machineId: string;
  readonly systemUuid: string;
  readonly bootId: string;
  readonly kernelVersion: string;
  readonly osImage: string;
  readonly pidsMax: number;
}

let fixed: Fixed | undefined;

function fixedFacts(): Fixed {
  fixed ??= {
    machineId: first(
      "/etc/machine-id",
      "/var/lib/dbus/machine-id",
      "/proc/sys/kernel/random/boot_id",
    ).replaceAll("-", ""),
    systemUuid: first("/sys/class/dmi/id/product_uuid", "/etc/machine-id", "/proc/sys/kernel/random/boot_id"),
    bootId: first("/proc/sys/kernel/random/boot_id"),
    kernelVersion: first("/proc/sys/kernel/osrelease"),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(readIfExists("/etc/os-release") ?? "")?.[1] ?? "Linux",
    pidsMax: Number(first("/proc/sys/kernel/pid_max")) || 32768,
  };
  return fixed;
}

export function machineFacts(dataDir: string): MachineFacts {
  const memory = readFileSync("/proc/meminfo", "utf8");
  const kib = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(memory)?.[1] ?? 0);
  const disk = statfsSync(dataDir);
  const processes = /\/(\d+)/.exec(first("/proc/loadavg"))?.[1];
  return {
    ...fixedFacts(),
    cpus: availableParallelism(),
    memoryBytes: kib("MemTotal") * 1024 || totalmem(),
    memoryAvailableBytes: kib("MemAvailable") * 1024,
    diskBytes: disk.blocks * disk.bsize,
    diskFreeBytes: disk.bavail * disk.bsize,
    pids: Number(processes ?? 0),
    architecture: architectures[process.arch] ?? process.arch,
  };
}
