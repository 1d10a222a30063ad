// The layer that the tutorial's images share: a small Debian of this machine's release with the packages they need.
// Its key is made from this file as well, so that a change here builds it again.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const packages = ["ruby-rails", "passenger", "ruby-pg", "procps", "cron", "busybox"];
/** The time stamp of every file: images built twice are the same. */
export const epoch = "1466208000";
const leftOut = ["doc", "man", "info", "locale", "ri"].map((each) => `/usr/share/${each}/*`);

function output(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", maxBuffer: 1 << 26 });
}

/** Debian as this machine has it: release and sources, and how apt reaches them. */
export function debian(): { codename: string; sources: string; apt: string[] } {
  const codename = /^VERSION_CODENAME="?(\w+)/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  if (codename === undefined) throw new Error("/etc/os-release names no release of Debian");
  const format = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)";
  const sources = output("apt-get", ["indextargets", "--format", format, "Created-By: Packages"])
    .split("\n")
    .filter((line) => new RegExp(` ${codename}(-updates|-security)? main$`).test(line));
  if (sources.length === 0) throw new Error(`apt has no sources of Debian ${codename} main`);
  const apt = output("apt-config", ["dump"])
    .split("\n")
    .filter((line) => /^Acquire::(Check-|https?::Proxy)/.test(line));
  return { codename, sources: `${[...new Set(sources)].join("\n")}\n`, apt };
}

export type Debian = ReturnType<typeof debian>;

/** What the layer is made from. */
export function debianLayerInputs({ codename }: Debian): string[] {
  return [process.arch, codename, readFileSync(import.meta.filename, "utf8")];
}

/** Writes the layer's tar archive. */
export function debianTar(tar: string, { codename, sources, apt }: Debian): void {
  console.error(`Building the Debian layer (${packages.join(", ")})`);
  // Sources and options are this machine's; the image keeps none of them.
  const forget = ["sources.list", "apt.conf.d/99mmdebstrap"].map((file) => `"$1/etc/apt/${file}"`);
  try {
    execFileSync(
      "env",
      [
        `SOURCE_DATE_EPOCH=${epoch}`,
        "LC_ALL=C",
        "mmdebstrap",
        "--mode=root",
        "--variant=minbase",
        "--quiet",
        ...[...apt, 'APT::Install-Recommends "false"', 'Acquire::Languages "none"'].map(
          (one) => `--aptopt=${one}`,
        ),
        ...leftOut.map((one) => `--dpkgopt=path-exclude=${one}`),
        `--include=${packages.join(",")}`,
        // A container has no audit subsystem: with this module cron would refuse to run jobs.
        `--customize-hook=sed -i /pam_loginuid/d "$1/etc/pam.d/cron"`,
        // Debian's own periodic jobs are for machines, not for containers.
        `--customize-hook=rm -rf "$1"/etc/cron.d/* "$1"/etc/cron.daily/*`,
        `--customize-hook=rm -f ${forget.join(" ")} "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap"`,
        codename,
        tar,
        "-",
      ],
      { input: sources, stdio: ["pipe", "pipe", "pipe"] },
    );
  } catch (error) {
    const said = (error as { stderr?: Buffer }).stderr?.toString().trim().split("\n").slice(-8).join("\n");
    throw new Error(`mmdebstrap could not build the Debian layer:\n${said ?? String(error)}`);
  }
}
