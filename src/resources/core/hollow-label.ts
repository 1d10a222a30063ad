/** On Nodes that exist for tests and scale: their kubelet runs nothing, and nothing answers at their address. */
export const hollowLabel = "leme.dev/hollow";
