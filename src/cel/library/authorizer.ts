// Kubernetes' authorizer library: may the caller do this? The questions are built up step by step; `check` asks.
import { opaque } from "../cel-type.ts";
import { overload, type Overload } from "../signature.ts";
import { EvaluationError, OpaqueValue } from "../value.ts";

export interface AuthorizationQuestion {
  /** Undefined: the caller of the request; otherwise a service account. */
  readonly serviceAccount?: { readonly namespace: string; readonly name: string };
  /** Of a question about a path that is no resource. */
  readonly path?: string;
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  readonly verb: string;
}

export interface AuthorizationAnswer {
  readonly allowed: boolean;
  readonly reason: string;
  readonly error?: string;
}

/** Answers at once; a caller that must wait throws, waits, and evaluates again. */
export type Authorize = (question: AuthorizationQuestion) => AuthorizationAnswer;

const blank: AuthorizationQuestion = {
  group: "",
  resource: "",
  subresource: "",
  namespace: "",
  name: "",
  verb: "",
};
const prefix = "kubernetes.authorization";
const authorizerName = `${prefix}.Authorizer`;
const pathName = `${prefix}.PathCheck`;
const groupName = `${prefix}.GroupCheck`;
const resourceName = `${prefix}.ResourceCheck`;
const decisionName = `${prefix}.Decision`;
export const authorizerType = opaque(authorizerName);
export const resourceCheckType = opaque(resourceName);

/** A question in the making. */
class QuestionValue extends OpaqueValue {
  readonly typeName: string;
  readonly authorize: Authorize;
  readonly question: AuthorizationQuestion;

  constructor(typeName: string, authorize: Authorize, question: AuthorizationQuestion) {
    super();
    this.typeName = typeName;
    this.authorize = authorize;
    this.question = question;
  }

  get identity(): string {
    return JSON.stringify(this.question);
  }
}

class DecisionValue extends OpaqueValue {
  readonly typeName = decisionName;
  readonly answer: AuthorizationAnswer;
  constructor(answer: AuthorizationAnswer) {
    super();
    this.answer = answer;
  }
  get identity(): string {
    return JSON.stringify(this.answer);
  }
}

/** The value of a variable `authorizer`. */
export const authorizerValue = (authorize: Authorize): OpaqueValue =>
  new QuestionValue(authorizerName, authorize, blank);

/** The value of `authorizer.requestResource`: a check of what the request is about. */
export const resourceCheckValue = (
  authorize: Authorize,
  about: Partial<AuthorizationQuestion>,
): OpaqueValue => new QuestionValue(resourceName, authorize, { ...blank, ...about });

type Step = (value: string) => Partial<AuthorizationQuestion>;
const step =
  (typeName: string, change: Step) =>
  (value: QuestionValue, text: string): QuestionValue =>
    new QuestionValue(typeName, value.authorize, { ...value.question, ...change(text) });

const narrow = (name: keyof AuthorizationQuestion): Overload =>
  overload(
    `${resourceName}.${name}(string): ${resourceName}`,
    step(resourceName, (text) => ({ [name]: text })),
  );

/** Asking is dear: the answer may come from elsewhere. */
const askCost = 350_000;

function check(value: QuestionValue, verb: string): DecisionValue {
  return new DecisionValue(value.authorize({ ...value.question, verb }));
}

function pathCheck(value: QuestionValue, path: string): QuestionValue {
  if (path === "") throw new EvaluationError("path must not be empty");
  return new QuestionValue(pathName, value.authorize, { ...value.question, path });
}

function serviceAccount(value: QuestionValue, namespace: string, name: string): QuestionValue {
  return new QuestionValue(authorizerName, value.authorize, {
    ...blank,
    serviceAccount: { namespace, name },
  });
}

export const authorizers: readonly Overload[] = [
  overload(`${authorizerName}.path(string): ${pathName}`, pathCheck),
  overload(
    `${authorizerName}.group(string): ${groupName}`,
    step(groupName, (group) => ({ group })),
  ),
  overload(`${authorizerName}.serviceAccount(string, string): ${authorizerName}`, serviceAccount),
  overload(
    `${groupName}.resource(string): ${resourceName}`,
    step(resourceName, (resource) => ({ resource })),
  ),
  ...(["subresource", "namespace", "name", "fieldSelector", "labelSelector"] as const).map(narrow),
  overload(`${pathName}.check(string): ${decisionName}`, check, () => askCost),
  overload(`${resourceName}.check(string): ${decisionName}`, check, () => askCost),
  overload(`${decisionName}.allowed(): bool`, ({ answer }: DecisionValue) => answer.allowed),
  overload(`${decisionName}.reason(): string`, ({ answer }: DecisionValue) => answer.reason),
  overload(`${decisionName}.errored(): bool`, ({ answer }: DecisionValue) => answer.error !== undefined),
  overload(`${decisionName}.error(): string`, ({ answer }: DecisionValue) => answer.error ?? ""),
];
