// Made by scripts/gen/generate.ts from facts.json: the messages of apidiscovery.k8s.io/v2beta1.

import type { GroupVersionKind, ListMeta, ObjectMeta } from "./meta-v1.ts";

export interface APIGroupDiscovery {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
  versions?: APIVersionDiscovery[];
}

export interface APIGroupDiscoveryList {
  apiVersion?: string;
  kind?: string;
  metadata?: ListMeta;
  items: APIGroupDiscovery[];
}

export interface APIResourceDiscovery {
  resource: string;
  responseKind?: GroupVersionKind;
  scope: string;
  singularResource: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  subresources?: APISubresourceDiscovery[];
}

export interface APISubresourceDiscovery {
  subresource: string;
  responseKind?: GroupVersionKind;
  acceptedTypes?: GroupVersionKind[];
  verbs: string[];
}

export interface APIVersionDiscovery {
  version: string;
  resources?: APIResourceDiscovery[];
  freshness?: string;
}
