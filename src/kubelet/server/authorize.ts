// Who may talk to the kubelet: only holders of a certificate of the cluster's authority that may act on
// `nodes/proxy`, which is the API server itself and administrators.

import type { TLSSocket } from "node:tls";

export const apiServerName = "kube-apiserver-kubelet-client";
const adminGroup = "system:masters";

export type Verdict =
  | { readonly allowed: true; readonly name: string }
  | { readonly allowed: false; readonly status: 401 | 403; readonly message: string };

const list = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

export function authorize(
  socket: Pick<TLSSocket, "authorized" | "getPeerCertificate">,
  method: string,
  subresource: string,
): Verdict {
  if (!socket.authorized) return { allowed: false, status: 401, message: "Unauthorized" };
  const subject = socket.getPeerCertificate().subject as
    { CN?: string | string[]; O?: string | string[] } | undefined;
  const name = list(subject?.CN)[0] ?? "";
  if (name === apiServerName || list(subject?.O).includes(adminGroup)) return { allowed: true, name };
  const verb =
    method === "GET" || method === "HEAD" ? "get" : method === "POST" ? "create" : method.toLowerCase();
  return {
    allowed: false,
    status: 403,
    message: `Forbidden (user=${name}, verb=${verb}, resource=nodes, subresource=${subresource})`,
  };
}
