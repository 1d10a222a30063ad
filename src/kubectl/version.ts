// What this client says it is.

export const clientVersion = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+leme",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "v8",
  platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
};

export const userAgent = `kubectl/${clientVersion.gitVersion} (${clientVersion.platform}) leme`;

/** The release of kustomize whose files kubectl 1.36 reads. */
export const kustomizeVersion = "v5.8.1";
