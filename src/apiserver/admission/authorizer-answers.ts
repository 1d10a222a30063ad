// Expressions ask the authorizer and need its answer at once; ours may take its time. An expression that asks something
// new is given up, the answer is awaited, and the expression is evaluated again with all answers so far.
import type { AuthorizationAnswer, AuthorizationQuestion, Authorize } from "#cel/library/authorizer.ts";
import type { Caller } from "#machinery/api-request.ts";
import { parseFieldSelector } from "#machinery/field-selectors.ts";
import type { Attributes, Authorizer } from "../auth/contract.ts";

/** Each is asked for by an expression with a budget that pays for fewer. */
const questionsMax = 64;

/** Thrown through an evaluation that has to wait. */
class Waiting extends Error {
  readonly key: string;
  readonly question: AuthorizationQuestion;
  constructor(key: string, question: AuthorizationQuestion) {
    super("waiting for the authorizer");
    this.key = key;
    this.question = question;
  }
}

export class AuthorizerAnswers {
  private readonly authorizer: Authorizer;
  private readonly caller: Caller;
  private readonly answers = new Map<string, AuthorizationAnswer>();

  constructor(authorizer: Authorizer, caller: Caller) {
    this.authorizer = authorizer;
    this.caller = caller;
  }

  readonly authorize: Authorize = (question) => {
    const key = JSON.stringify(question);
    const known = this.answers.get(key);
    if (known === undefined) throw new Waiting(key, question);
    return known;
  };

  /** Evaluates with `authorize` until all its questions are answered. */
  async settle<T>(evaluate: () => T): Promise<T> {
    for (;;) {
      try {
        return evaluate();
      } catch (thrown) {
        if (!(thrown instanceof Waiting) || this.answers.size >= questionsMax) throw thrown;
        const { verdict, reason } = await this.authorizer.authorize(
          attributesOf(thrown.question, this.caller),
        );
        this.answers.set(thrown.key, { allowed: verdict === "allow", reason });
      }
    }
  }
}

function attributesOf(question: AuthorizationQuestion, caller: Caller): Attributes {
  const { serviceAccount, path, fieldSelector } = question;
  return {
    caller: serviceAccount === undefined ? caller : accountCaller(serviceAccount),
    verb: question.verb,
    isResource: path === undefined,
    group: question.group,
    version: "*",
    resource: question.resource,
    subresource: question.subresource,
    namespace: question.namespace,
    name: question.name,
    path: path ?? "",
    fields: fieldSelector === undefined ? [] : parseFieldSelector(fieldSelector),
  };
}

function accountCaller({ namespace, name }: { readonly namespace: string; readonly name: string }): Caller {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
  };
}
