// Subresources that are not simply a part of the stored object.

import type { ApiResponse } from "#machinery/api-request.ts";
import type { ResourceDefinition } from "#machinery/define-resource.ts";
import type { ResourceContext } from "../context.ts";

export type SubresourceHandler = (context: ResourceContext) => Promise<ApiResponse>;

export interface SubresourceHandlers {
  find(definition: ResourceDefinition, subresource: string): SubresourceHandler | undefined;
}
