// `kubectl config`: looks at kubeconfig files and changes them.

import type { Command } from "../command.ts";
import { currentContext, getClusters, getContexts, getUsers, viewConfig } from "./config-view.ts";
import {
  deleteCluster,
  deleteContext,
  deleteUser,
  renameContext,
  set,
  setCluster,
  setContext,
  setCredentials,
  unset,
  useContext,
} from "./config-edit.ts";

export const config: Command = {
  name: "config",
  use: "config SUBCOMMAND",
  short: "Look at and change kubeconfig files",
  long: `Look at and change kubeconfig files.

Which files: the one that --kubeconfig names; else those of $KUBECONFIG, taken together; else ~/.kube/config. A change is
written to the file that has the entry, and a new entry to the first file that exists.`,
  subcommands: [
    currentContext,
    deleteCluster,
    deleteContext,
    deleteUser,
    getClusters,
    getContexts,
    getUsers,
    renameContext,
    set,
    setCluster,
    setContext,
    setCredentials,
    unset,
    useContext,
    viewConfig,
  ],
};
