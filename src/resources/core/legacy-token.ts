// Labels of Secrets that hold a service account's token: when it was last used, and since when it is not accepted.

export const lastUsedLabel = "kubernetes.io/legacy-token-last-used";
export const invalidSinceLabel = "kubernetes.io/legacy-token-invalid-since";
