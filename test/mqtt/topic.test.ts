import t from 'tap'
import { compileTopic, findUnusableClaim, TOPIC_SEGMENT } from '../../src/mqtt/topic.js'
import { thrownBy } from '../helpers/thrown-by.js'

/** Why a template is refused. */
function refusalOf (template: string): string {
  return thrownBy(RangeError, () => compileTopic(template)).message
}

t.test('puts the identifier in the place of {imei}', async t => {
  const topic = compileTopic('devices/{imei}/commands')
  t.equal(topic.template, 'devices/{imei}/commands')
  t.equal(topic.build('26372637216372637126376237'), 'devices/26372637216372637126376237/commands')
  t.equal(compileTopic('{imei}').build('42'), '42')
})

t.test('puts the identifier in each place of {imei}', async t => {
  t.equal(compileTopic('d/{imei}/{imei}{imei}').build('42'), 'd/42/4242')
})

t.test('keeps everything else of a template as it is', async t => {
  t.equal(compileTopic('/Gerät $1 $& \\d//{imei}/').build('42'), '/Gerät $1 $& \\d//42/')
})

t.test('builds a topic of every identifier that can stand in one', async t => {
  for (const imei of ['0', 'A-Z_az-09', '-', '_', 'x'.repeat(64)]) {
    t.equal(TOPIC_SEGMENT.test(imei), true)
    t.equal(compileTopic('d/{imei}').build(imei), `d/${imei}`)
  }
})

t.test('builds no topic of an identifier that would name another one', async t => {
  const topic = compileTopic('d/{imei}')
  for (const imei of ['', '+', '#', 'a/b', '../x', 'a\0', 'a\n', ' a', 'ü', '{imei}', '$SYS', 'a.b', 'x'.repeat(65)]) {
    t.equal(thrownBy(RangeError, () => topic.build(imei)).message, 'imei cannot stand in a topic', JSON.stringify(imei))
  }
})

t.test('refuses a template with a placeholder it does not know', async t => {
  t.equal(refusalOf('d/{id}'), 'has the unknown placeholder {id}; there are {imei} and {claims.<name of a claim>}')
  t.equal(refusalOf('{imei}/{IMEI}'), 'has the unknown placeholder {IMEI}; there are {imei} and {claims.<name of a claim>}')
  t.equal(refusalOf('{imei}/{}'), 'has the unknown placeholder {}; there are {imei} and {claims.<name of a claim>}')
  t.equal(refusalOf('{ imei }'), 'has the unknown placeholder { imei }; there are {imei} and {claims.<name of a claim>}')
})

t.test('refuses a template without {imei}', async t => {
  for (const template of ['', 'devices/commands', 'devices/imei', 'devices/{imei']) {
    t.equal(refusalOf(template), 'has no {imei}: every device would get every command', template)
  }
})

t.test('refuses a template with a brace outside a placeholder', async t => {
  for (const template of ['{imei}}', '{{imei}', '{{imei}}', '{imei}/{', '}{imei}', '{im{imei}ei}']) {
    t.equal(refusalOf(template), 'has a brace outside a placeholder', template)
  }
})

t.test('refuses a template with a wildcard', async t => {
  for (const template of ['+/{imei}', 'd/{imei}/#', 'a+b/{imei}', '{imei}#']) {
    t.equal(refusalOf(template), 'has a wildcard (+ or #), which a topic to publish to may not have [MQTT-3.3.2-2]', template)
  }
})

t.test('refuses a template with a NUL character', async t => {
  t.equal(refusalOf('d/\0/{imei}'), 'has a NUL character [MQTT-4.7.3-2]')
})

t.test('refuses a template with a character on which brokers close the connection, and names it', async t => {
  const cases: Array<[string, string]> = [
    ['d/{imei}\n', 'U+000A'], ['\u0001{imei}', 'U+0001'], ['{imei}\r\n', 'U+000D'], ['{imei}/\u001f', 'U+001F'], ['{imei}/\u007f', 'U+007F'],
    ['{imei}/\u009f', 'U+009F'], ['{imei}/\ud800', 'U+D800'], ['\ud83d{imei}\udd11', 'U+D83D'], ['{imei}/\udfff/x', 'U+DFFF'], ['{imei}/\ufdd0', 'U+FDD0'],
    ['{imei}/\uffff', 'U+FFFF'], ['{imei}/\u{1fffe}', 'U+1FFFE'], ['{imei}/\u{10ffff}', 'U+10FFFF']
  ]
  for (const [template, name] of cases) {
    t.equal(refusalOf(template), `has the character ${name}, on which a broker may close the connection [MQTT-1.5.4]`)
  }
  t.equal(compileTopic('\u{1f511} \u00a0\ufffd/{imei}').build('42'), '\u{1f511} \u00a0\ufffd/42')
})

t.test('refuses a template that starts with $, and no other $', async t => {
  for (const template of ['$SYS/{imei}', '$share/group/{imei}', '$/{imei}']) {
    t.equal(refusalOf(template), 'starts with $, which is kept for the broker [MQTT-4.7.2-1]', template)
  }
  t.equal(compileTopic('d/$SYS/{imei}').build('42'), 'd/$SYS/42')
})

t.test('refuses a template whose topics could get longer than MQTT allows', async t => {
  const fault = 'gives topics over 65535 bytes [MQTT-4.7.3-3]'
  t.equal(Buffer.byteLength(compileTopic(`${'x'.repeat(65_471)}{imei}`).build('i'.repeat(64))), 65_535)
  t.equal(refusalOf(`${'x'.repeat(65_472)}{imei}`), fault)
  t.equal(refusalOf(`${'x'.repeat(65_408)}{imei}{imei}`), fault, 'each placeholder counts')
  t.equal(refusalOf(`${'ü'.repeat(32_736)}{imei}`), fault, 'bytes are counted, not characters')
  t.equal(Buffer.byteLength(compileTopic(`${'ü'.repeat(32_735)}{imei}`).build('i'.repeat(64))), 65_534)
})

t.test('refuses a template with more levels than the usual brokers accept', async t => {
  t.equal(compileTopic(`${'a/'.repeat(99)}{imei}`).build('42').split('/').length, 100)
  t.equal(refusalOf(`${'a/'.repeat(100)}{imei}`), 'has more than 100 levels')
})

const TENANTS = 'tenants/{claims.tenant}/devices/{imei}/commands'

t.test('puts the value of a claim in each place of it', async t => {
  t.equal(compileTopic(TENANTS).build('42', { tenant: 'acme' }), 'tenants/acme/devices/42/commands')
  t.equal(compileTopic('{claims.t}/x-{claims.t}/{claims.u}/{imei}').build('42', { t: 'A_z-0.9', u: 'x'.repeat(64) }), `A_z-0.9/x-A_z-0.9/${'x'.repeat(64)}/42`)
})

t.test('takes the name of a claim whole, with points and slashes', async t => {
  const topic = compileTopic('t/{claims.https://acme.example/tenant#1}/{claims.a.b}/{imei}')
  t.strictSame(topic.claimNames, ['https://acme.example/tenant#1', 'a.b'])
  t.equal(topic.build('42', { 'https://acme.example/tenant#1': 'acme', 'a.b': 'c', a: { b: 'd' } }), 't/acme/c/42')
})

t.test('names the claims of a template, each once', async t => {
  t.strictSame(compileTopic(TENANTS).claimNames, ['tenant'])
  t.strictSame(compileTopic('{claims.b}/{imei}/{claims.a}/{claims.b}').claimNames, ['b', 'a'])
  t.strictSame(compileTopic('devices/{imei}').claimNames, [])
})

t.test('builds no topic of a claim that is missing or would name another topic, and says which it is', async t => {
  const topic = compileTopic(TENANTS)
  const bad = [undefined, null, '', '+', '#', 'a/b', '..\0', ' a', 'a\n', 'ü', '{imei}', '$SYS', 'x'.repeat(65), 7, true, ['acme'], { toString: () => 'acme' }]
  for (const tenant of bad) {
    t.equal(findUnusableClaim(topic, { tenant }), 'tenant', JSON.stringify(tenant))
    t.equal(thrownBy(RangeError, () => topic.build('42', { tenant })).message,
      'the claim tenant cannot stand in a topic: it must be a text of 1-64 of 0-9 A-Z a-z _ . -', JSON.stringify(tenant))
  }
  t.throws(() => topic.build('42'), RangeError, 'no claims at all')
  t.throws(() => topic.build('a/b', { tenant: 'acme' }), RangeError)
})

t.test('finds the first claim that cannot stand in a topic', async t => {
  const topic = compileTopic('{claims.a}/{claims.b}/{imei}')
  t.equal(findUnusableClaim(topic, { a: '1', b: '2' }), undefined)
  t.equal(findUnusableClaim(topic, { a: '1', b: 2 }), 'b')
  t.equal(findUnusableClaim(topic, {}), 'a')
  t.equal(findUnusableClaim(compileTopic('{imei}'), {}), undefined)
  for (const name of ['constructor', 'toString', '__proto__']) {
    t.equal(findUnusableClaim(compileTopic(`{claims.${name}}/{imei}`), {}), name, 'what every object has is no claim')
  }
})

t.test('refuses a claim without a name, or with one that cannot stand in a header', async t => {
  for (const name of ['claims', 'claims.', 'claims.a b', 'claims."', 'claims.ü', 'claim.tenant', 'Claims.tenant']) {
    t.equal(refusalOf(`{${name}}/{imei}`), `has the unknown placeholder {${name}}; there are {imei} and {claims.<name of a claim>}`)
  }
})

t.test('refuses a template by which two tenants could name one topic', async t => {
  const fault = 'has a claim and another placeholder in one level: two tenants could then name one topic'
  for (const level of ['{claims.tenant}-{imei}', '{imei}{claims.tenant}', '{claims.a}.{claims.b}/{imei}', 'x/{claims.a}{claims.a}/{imei}']) {
    t.equal(refusalOf(level), fault, level)
  }
})

t.test('refuses a template whose topics could get too long or deep with the longest claims', async t => {
  const claims = { tenant: 'x'.repeat(64) }
  t.equal(compileTopic(`${'x'.repeat(65_406)}{claims.tenant}/{imei}`).build('i'.repeat(64), claims).length, 65_535)
  t.equal(refusalOf(`${'x'.repeat(65_407)}{claims.tenant}/{imei}`), 'gives topics over 65535 bytes [MQTT-4.7.3-3]')
  t.equal(compileTopic(`${'a/'.repeat(98)}{claims.http://a/b}/{imei}`).build('42', { 'http://a/b': 'x' }).split('/').length, 100)
  t.equal(refusalOf(`${'a/'.repeat(99)}{claims.tenant}/{imei}`), 'has more than 100 levels')
})
