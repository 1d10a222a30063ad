import assert from "node:assert/strict";
import { test } from "node:test";
import { field, intType, objectType } from "../cel-type.ts";
import { toData } from "../data.ts";
import { compileExpression } from "../expression.ts";
import { EvaluationError, LazyObject, type Value } from "../value.ts";
import {
  authorizerType,
  authorizerValue,
  resourceCheckType,
  resourceCheckValue,
  type AuthorizationQuestion,
} from "./authorizer.ts";

function run(text: string): unknown {
  const { expression, error } = compileExpression(text, new Map());
  if (expression === undefined) return { compile: error.split("\n")[0] };
  try {
    return toData(expression.evaluate(() => undefined));
  } catch (thrown) {
    if (!(thrown instanceof EvaluationError)) throw thrown;
    return { error: thrown.message };
  }
}

const fails = (message: string): object => ({ error: message });

/** expression → value; the examples of the documentation are among them. */
const rows: readonly (readonly [string, unknown])[] = [
  // Strings
  ["'hello'.charAt(4) + 'é😀'.charAt(1)", "o😀"],
  ["'ab'.charAt(2)", ""],
  ["'ab'.charAt(3)", fails("index out of range: 3")],
  ["'hello mellow'.indexOf('ello')", 1],
  ["'hello mellow'.indexOf('jello')", -1],
  ["'hello mellow'.indexOf('ello', 2)", 7],
  ["'é😀x'.indexOf('x')", 2],
  ["'hello mellow'.lastIndexOf('ello')", 7],
  ["'hello mellow'.lastIndexOf('ello', 6)", 1],
  ["['hello', 'mellow'].join()", "hellomellow"],
  ["['hello', 'mellow'].join(' ')", "hello mellow"],
  ["'TacoCÆt'.lowerAscii()", "tacocÆt"],
  ["'TacoCæt'.upperAscii()", "TACOCæT"],
  ["'hello hello'.replace('he', 'we')", "wello wello"],
  ["'hello hello'.replace('he', 'we', 1)", "wello hello"],
  ["'hello hello'.replace('he', 'we', 0)", "hello hello"],
  ["'hello hello'.replace('he', '$&')", "$&llo $&llo"],
  ["'abc'.replace('', '_')", "_a_b_c_"],
  ["'hello hello hello'.split(' ')", ["hello", "hello", "hello"]],
  ["'hello hello hello'.split(' ', 0)", []],
  ["'hello hello hello'.split(' ', 2)", ["hello", "hello hello"]],
  ["'tacocat'.substring(4) + 'tacocat'.substring(0, 4)", "cattaco"],
  ["'tacocat'.substring(5, 4)", fails("invalid substring range. start: 5, end: 4")],
  ["'  \\ttrim\\n '.trim()", "trim"],
  [`strings.quote('single-quote with "double quote"')`, `"single-quote with \\"double quote\\""`],
  ["'abc'.startsWith('ab') && 'abc'.endsWith('bc') && 'abc'.contains('b')", true],
  // format
  ["'%s has %d'.format(['a', 1])", "a has 1"],
  ["'%s %s %s %s'.format([1, 1.5, true, null])", "1 1.5 true null"],
  ["'%s'.format([[1, 'a']])", '[1, "a"]'],
  ["'%s'.format([{'b': 1, 'a': [2]}])", '{"a": [2], "b": 1}'],
  ["'%s %s'.format([duration('90s'), timestamp('2024-01-01T00:00:00Z')])", "90s 2024-01-01T00:00:00Z"],
  ["'%.2f|%f|%.3e'.format([1.005, 2.0, 1234.6])", "1.00|2.000000|1.235e+03"],
  ["'%b %o %x %X %x'.format([5, 8, 255, 255, 'hi'])", "101 10 ff FF 6869"],
  ["'100%%'.format([])", "100%"],
  ["'%s'.format([])", fails("index 0 out of range")],
  ["'%d'.format(['a'])", fails("decimal clause can only be used on integers, was given string")],
  ["'%z'.format([1])", fails('could not parse formatting clause: unrecognized formatting clause "z"')],
  // Lists
  ["[1, 2, 2].isSorted() && ['a', 'b'].isSorted() && !([2.0, 1.0].isSorted())", true],
  ["[1, 3].sum() + [].sum()", 4],
  ["[1.0, 0.5].sum()", 1.5],
  ["[duration('1m'), duration('1s')].sum() == duration('61s')", true],
  ["[3, 1, 2].min() + [3, 1, 2].max()", 4],
  ["['b', 'a'].min() + ['b', 'a'].max()", "ab"],
  ["[].min()", fails("min called on empty list")],
  ["[1, 2, 2, 3].indexOf(2) + [1, 2, 2, 3].lastIndexOf(2)", 3],
  ["['a'].indexOf('b')", -1],
  // Sets
  ["sets.contains([1, 2, 3], [3, 1]) && !sets.contains([1], [2]) && sets.contains([], [])", true],
  ["sets.equivalent([1, 2], [2, 1, 1]) && !sets.equivalent([1], [1, 2])", true],
  ["sets.intersects([1, 2], [2, 3]) && !sets.intersects([], [1])", true],
  // Regular expressions
  ["'abc 123'.find('[0-9]+')", "123"],
  ["'abc'.find('[0-9]+')", ""],
  ["'1, 2, 3, 4'.findAll('[0-9]+').map(x, int(x)).sum() < 100", true],
  ["'123 abc 456'.findAll('[0-9]+', 1)", ["123"]],
  ["'123 abc 456'.findAll('[0-9]+', 0)", []],
  ["'foobar'.matches('foo.*') && matches('foobar', 'o+b') && !'x'.matches('^y')", true],
  // URLs
  ["url('https://example.com:80/').getHost()", "example.com:80"],
  ["url('https://example.com/path with spaces/').getEscapedPath()", "/path%20with%20spaces/"],
  [
    "url('https://user:pw@[::1]:80/').getHost() + ' ' + url('https://[::1]:80/').getHostname()",
    "[::1]:80 ::1",
  ],
  ["url('https://example.com:80/').getPort() + url('https://example.com/').getPort()", "80"],
  ["url('https://example.com/').getScheme() + url('/path').getScheme()", "https"],
  ["url('https://example.com/p?k1=a&k2=b&k2=c%20d').getQuery()", { k1: ["a"], k2: ["b", "c d"] }],
  ["isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/absolute-path')", true],
  ["isURL('https://a:b:c/') || isURL('../relative-path') || isURL('') || isURL('no')", false],
  [
    "url('../x')",
    fails('URL parse error during conversion from string: parse "../x": invalid URI for request'),
  ],
  // IP addresses
  [
    "isIP('127.0.0.1') && isIP('::1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4') && !isIP('01.2.3.4')",
    true,
  ],
  ["ip('127.0.0.1').family() + ip('::1').family()", 10],
  [
    "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD') && !ip.isCanonical('2001:db8::0:0:0:abcd')",
    true,
  ],
  ["string(ip('2001:0:0:1:0:0:0:1'))", "2001:0:0:1::1"],
  ["ip('0.0.0.0').isUnspecified() && ip('::').isUnspecified() && !ip('127.0.0.1').isUnspecified()", true],
  ["ip('127.0.0.1').isLoopback() && ip('::1').isLoopback() && !ip('192.168.0.1').isLoopback()", true],
  [
    "ip('224.0.0.1').isLinkLocalMulticast() && ip('ff02::1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast()",
    true,
  ],
  [
    "ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast() && !ip('fd80::1').isLinkLocalUnicast()",
    true,
  ],
  [
    "ip('192.168.0.1').isGlobalUnicast() && ip('2001:db8::abcd').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
    true,
  ],
  ["ip('127.0.0.1') == ip('127.0.0.1') && ip('127.0.0.1') != ip('10.0.0.1')", true],
  // CIDRs
  ["isCIDR('192.168.0.0/24') && isCIDR('::1/128') && !isCIDR('192.168.0.0/33') && !isCIDR('1.2.3.4')", true],
  [
    "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1')) && !cidr('192.168.0.0/24').containsIP('192.168.1.1')",
    true,
  ],
  [
    "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && !cidr('192.168.1.0/24').containsCIDR(cidr('192.168.0.0/16'))",
    true,
  ],
  [
    "string(cidr('192.168.0.5/24').ip()) + ' ' + string(cidr('192.168.0.5/24').masked())",
    "192.168.0.5 192.168.0.0/24",
  ],
  ["cidr('::1/128').prefixLength()", 128],
  // Quantities
  ["isQuantity('1.3G') && isQuantity('1.3Gi') && !isQuantity('1,3G') && !isQuantity('10000 k')", true],
  ["quantity('500000G').isInteger() && !quantity('0.5').isInteger()", true],
  ["quantity('50k').asInteger()", 50000],
  ["quantity('0.5').asInteger()", fails("cannot convert value to integer")],
  ["quantity('50.703').asApproximateFloat()", 50.703],
  ["quantity('50k').add(quantity('20k')) == quantity('70k')", true],
  ["quantity('50k').sub(20000) == quantity('30k')", true],
  ["quantity('50k').add(20).sub(quantity('100k')).sub(-50000) == quantity('20')", true],
  ["quantity('200M').compareTo(quantity('0.2G'))", 0],
  [
    "quantity('150Mi').isGreaterThan(quantity('100Mi')) && quantity('50M').isLessThan(quantity('100M'))",
    true,
  ],
  ["quantity('-5').sign() + quantity('0').sign()", -1],
  [
    "quantity('x')",
    fails("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"),
  ],
  // Semantic versions
  ["isSemver('1.0.0') && isSemver('v1.0', true) && !isSemver('v1.0.0') && !isSemver('hello')", true],
  ["semver('1.2.3').major() * 100 + semver('1.2.3').minor() * 10 + semver('1.2.3').patch()", 123],
  ["semver('v01.01', true) == semver('1.1.0')", true],
  ["semver('1.0.0').isLessThan(semver('1.10.0')) && semver('1.10.0').isGreaterThan(semver('1.9.0'))", true],
  [
    "semver('1.0.0-alpha.1').compareTo(semver('1.0.0-alpha.beta')) + semver('1.0.0').compareTo(semver('1.0.0-rc.1'))",
    0,
  ],
  ["semver('1.0.0+a').compareTo(semver('1.0.0+b'))", 0],
  ["semver('1.0')", fails('invalid semantic version "1.0"')],
  // Named formats
  ["format.dns1123Label().validate('ok-name').hasValue()", false],
  ["format.named('dns1123Label').value().validate('Bad_Name').value().size()", 1],
  ["format.named('nothing').hasValue()", false],
  [
    "format.dns1123Subdomain().validate('a.b').hasValue() || format.dns1035Label().validate('a1').hasValue()",
    false,
  ],
  [
    "format.dns1035Label().validate('1a').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()",
    true,
  ],
  [
    "format.dns1123LabelPrefix().validate('a-').hasValue() || format.dns1123SubdomainPrefix().validate('a.b-').hasValue() || format.dns1035LabelPrefix().validate('a-').hasValue()",
    false,
  ],
  ["format.labelValue().validate('a b').hasValue() && format.uri().validate('x y').hasValue()", true],
  [
    "format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() || format.byte().validate('aGVsbG8=').hasValue()",
    false,
  ],
  [
    "format.date().validate('2021-01-01').hasValue() || format.datetime().validate('2021-01-01T00:00:00Z').hasValue()",
    false,
  ],
  [
    "format.date().validate('2021-02-30').value()[0] + format.datetime().validate('x').value()[0]",
    "invalid dateinvalid datetime",
  ],
];

for (const [text, expected] of rows) {
  test(text, () => {
    assert.deepEqual(run(text), expected);
  });
}

test("a replacement that would fill the memory is refused", () => {
  const big = `'${"a".repeat(90_000)}'`;
  assert.deepEqual(
    run(`[${big}].map(x, x.replace('a', x))`),
    fails("replace makes a string that is too long"),
  );
});

const asked: AuthorizationQuestion[] = [];
const authorize = (question: AuthorizationQuestion): { allowed: boolean; reason: string } => {
  asked.push(question);
  return { allowed: question.verb === "get", reason: "because" };
};

test("authorizer: questions are built step by step, and asked by check", () => {
  const variables = new Map([
    ["authorizer", authorizerType],
    ["authorizer.requestResource", resourceCheckType],
  ]);
  const ask = (text: string): Value => {
    const { expression, error } = compileExpression(text, variables);
    assert.equal(error, undefined);
    return expression.evaluate((name) =>
      name === "authorizer"
        ? authorizerValue(authorize)
        : resourceCheckValue(authorize, { resource: "pods", namespace: "ns", name: "p" }),
    );
  };
  const blank = { group: "", resource: "", subresource: "", namespace: "", name: "", verb: "" };
  assert.equal(
    ask(
      "authorizer.group('apps').resource('deployments').subresource('status').namespace('default').name('d').check('get').allowed()",
    ),
    true,
  );
  assert.deepEqual(asked.pop(), {
    group: "apps",
    resource: "deployments",
    subresource: "status",
    namespace: "default",
    name: "d",
    verb: "get",
  });
  assert.equal(ask("authorizer.path('/healthz').check('post').reason()"), "because");
  assert.deepEqual(asked.pop(), { ...blank, path: "/healthz", verb: "post" });
  assert.equal(
    ask("authorizer.serviceAccount('ns', 'sa').group('').resource('pods').check('delete').allowed()"),
    false,
  );
  assert.deepEqual(asked.pop(), {
    ...blank,
    serviceAccount: { namespace: "ns", name: "sa" },
    resource: "pods",
    verb: "delete",
  });
  assert.equal(ask("authorizer.requestResource.check('get').allowed()"), true);
  assert.deepEqual(asked.pop(), { ...blank, resource: "pods", namespace: "ns", name: "p", verb: "get" });
  assert.equal(
    ask(
      "authorizer.group('').resource('pods').fieldSelector('a=b').labelSelector('c').check('get').errored()",
    ),
    false,
  );
  assert.deepEqual(asked.pop(), {
    ...blank,
    resource: "pods",
    fieldSelector: "a=b",
    labelSelector: "c",
    verb: "get",
  });
});

test("fields that are computed: when they are asked for, and once", () => {
  const type = objectType("kubernetes.variables", [field("a", intType), field("b", intType)]);
  const computed: string[] = [];
  const variables = new LazyObject(type, (name) => {
    computed.push(name);
    return 2n;
  });
  const { expression } = compileExpression("variables.a + variables.a", new Map([["variables", type]]));
  assert.equal(
    expression?.evaluate(() => variables),
    4n,
  );
  assert.deepEqual(computed, ["a"]);
});

test("numbers of very many digits are refused, and take no time", () => {
  const nines = `'${"9".repeat(90_000)}'`;
  for (const call of [`int(${nines})`, `uint(${nines})`, `quantity(${nines})`, `semver(${nines} + '.0.0')`])
    assert.ok(typeof (run(call) as { error?: string }).error === "string", call.slice(0, 12));
  assert.equal(run(`isSemver('0001.02.3', true)`), true);
  assert.equal(run("int('-0042') == -42 && int('+7') == 7"), true);
  assert.equal(run("semver('1.0.0-9').isLessThan(semver('1.0.0-10'))"), true);
  assert.equal(run(`('a' + '${" ".repeat(90_000)}' + 'b').trim().size()`), 90_002);
});
