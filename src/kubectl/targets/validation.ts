// What `create --validate` finds in a document before anything is sent: that it says what it is. Pure.
// Unknown and duplicate fields are the server's to find.

import { isObject, type JsonObject } from "#machinery/json-object.ts";

function typeProblems(value: JsonObject): string[] {
  const { apiVersion, kind } = value;
  const problem = (name: string, given: unknown): string[] => {
    if (given === undefined || given === null || given === "") return [`${name} not set`];
    return typeof given === "string" ? [] : [`${name} isn't string type`];
  };
  const problems = [...problem("apiVersion", apiVersion), ...problem("kind", kind)];
  if (problems.length === 0 && (apiVersion as string).split("/").length > 2)
    return [`unexpected GroupVersion string: ${apiVersion as string}`];
  return problems;
}

function problemsOf(value: unknown): string[] {
  if (!isObject(value)) return ["invalid object to validate"];
  if (value["kind"] !== "List") return typeProblems(value);
  const { items } = value;
  if (!Array.isArray(items)) return ["invalid object to validate"];
  return (items as unknown[]).flatMap(problemsOf);
}

/** The problem, several of them in brackets, or undefined. */
export function validationProblem(value: unknown): string | undefined {
  const problems = problemsOf(value);
  return problems.length > 1 ? `[${problems.join(", ")}]` : problems[0];
}
