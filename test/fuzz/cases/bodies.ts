import fc, { type Arbitrary } from 'fast-check'
import type { Rules } from '../model/rules.js'

/** Members of a body, each with its value as JSON text. */
type Members = ReadonlyArray<readonly [name: string, value: string]>

const toJson = (members: Members) => `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`
const toBytes = (text: string) => Buffer.from(text).toString('latin1')
const characters = (alphabet: string, maxLength: number) => fc.string({ unit: fc.constantFrom(...alphabet), minLength: 1, maxLength })

const ALPHABET = '0123456789ABCXYZabcxyz_-'

const nearImei = fc.oneof(characters(ALPHABET, 66), fc.string({ unit: 'binary', maxLength: 10 }), fc.constantFrom('', '+', '#', 'a/b', '$SYS', 'a\0', '\ud800', '123\n', 'x'.repeat(64), 'x'.repeat(65), '../a', 'é', '１２３'))
const anyJson = fc.oneof(fc.json({ maxDepth: 3 }), fc.constantFrom('null', 'true', '123456789012345', '1e3', '30.0', '0', '-0', '1e999', '86400', '86401', '1.5', '[]', '{}', '"30"', '"\\ud800"', '"\\u0000"'))

/** Names that are no members, or are ones in another spelling. */
const name = fc.oneof(fc.constantFrom('imei', 'micro_op', 'ttl', '__proto__', 'constructor', 'prototype', 'toString', 'id', 'topic', 'imei ', 'Imei', '', 'micro-op', 'a/b~c', '\ud83d', 'hasOwnProperty'), fc.string({ unit: 'binary', maxLength: 8 }))

/** Bodies of every sort, as bytes in Latin-1. */
export function createBodies (rules: Rules) {
  const microOp = rules.microOps === undefined ? characters(`${ALPHABET}.`, 64) : fc.constantFrom(...rules.microOps)
  const imei = fc.oneof(characters(ALPHABET, 64), fc.constant('26372637216372637126376237'))
  const ttl = fc.integer({ min: 1, max: 86_400 })

  const members: Arbitrary<Members> = fc.tuple(imei, microOp, fc.option(ttl), fc.boolean()).map(([imei, microOp, ttl, isTurned]) => {
    const all = [['imei', JSON.stringify(imei)] as const, ['micro_op', JSON.stringify(microOp)] as const, ...(ttl === null ? [] : [['ttl', String(ttl)] as const])]
    return isTurned ? all.reverse() : all
  })
  const valid = fc.oneof(
    { weight: 3, arbitrary: members.map(toJson) },
    { weight: 1, arbitrary: members.map(all => JSON.stringify(JSON.parse(toJson(all)), null, '\t\r\n')) },
    // The same text, written in escapes.
    { weight: 1, arbitrary: members.map(all => toJson(all).replaceAll('o', '\\u006f').replaceAll('i', '\\u0069')) }
  )

  const oneValue = fc.tuple(members, fc.nat({ max: 2 }), anyJson).map(([all, at, value]) => toJson(all.map((member, index) => index === at % all.length ? [member[0], value] : member)))
  const oneName = fc.tuple(members, fc.nat({ max: 2 }), name).map(([all, at, other]) => toJson(all.map((member, index) => index === at % all.length ? [other, member[1]] : member)))
  const more = fc.tuple(members, fc.array(fc.tuple(name, anyJson), { minLength: 1, maxLength: 4 })).map(([all, others]) => toJson([...all, ...others]))
  const fewer = members.chain(all => fc.subarray([...all]).map(toJson))
  const twice = fc.tuple(members, fc.nat({ max: 2 })).map(([all, at]) => toJson([...all, all[at % all.length] ?? ['imei', '""']]))
  const wrongId = fc.tuple(nearImei, fc.boolean()).map(([text, isImei]) => toJson(isImei ? [['imei', JSON.stringify(text)], ['micro_op', '"a"']] : [['imei', '"1"'], ['micro_op', JSON.stringify(text)]]))
  const deep = fc.tuple(fc.constantFrom(['[', ']'], ['{"a":', '}'], ['[', ''], ['{"imei":', '']), fc.integer({ min: 1, max: 8_000 }), fc.boolean())
    .map(([[open = '', close = ''], depth, isInside]) => {
      const times = Math.min(depth, Math.floor(15_000 / (open.length + close.length)))
      const nest = `${open.repeat(times)}1${close.repeat(times)}`
      return isInside ? `{"imei":${nest},"micro_op":"a"}` : nest
    })
  const crowded = fc.integer({ min: 1, max: 2_000 }).map(count => toJson(Array.from({ length: count }, (_, index) => [`m${index}`, '1'])))
  const wrongText = fc.tuple(valid, fc.nat(), fc.constantFrom<(text: string, at: number) => string>(
    text => text.replace('}', ',}'), text => `${text}x`, text => `\u{feff}${text}`, text => text.replace(',', ',// why\n'), text => `/**/${text}`,
  text => text.replaceAll('"', "'"), text => text.replace('"imei"', 'imei'), text => `${text}${text}`, text => `[${text}]`, text => JSON.stringify(text), () => '', () => ' \n',
  (text, at) => text.slice(0, at), (text, at) => `${text.slice(0, at)}\0${text.slice(at)}`, (text, at) => text.slice(0, at) + text.slice(at + 1), (text, at) => `${text.slice(0, at)}\u2028${text.slice(at)}`
  )).map(([text, at, change]) => change(text, at % text.length))
  const wrongBytes = fc.oneof(
    fc.tuple(valid, fc.nat(), fc.constantFrom('\xff', '\xc0\x80', '\xed\xa0\x80', '\xf4\x90\x80\x80', '\xe2\x82', '\x80', '\xef\xbb\xbf', '\x00', '\x1b')).map(([text, at, bytes]) => text.slice(0, at % text.length) + bytes + text.slice(at % text.length)),
    valid.map(text => Buffer.from(text, 'utf16le').toString('latin1')),
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes).toString('latin1'))
  )
  const isLarge = fc.tuple(valid, fc.constantFrom(16_383, 16_384, 16_385, 20_000, 70_000)).map(([text, size]) => text + ' '.repeat(size - text.length))

  return {
    valid: valid.map(toBytes),
    /** Anything, seldom valid. */
    any: fc.oneof(
      { weight: 10, arbitrary: fc.oneof(oneValue, oneName, more, fewer, twice, wrongId, wrongText, fc.json()).map(toBytes) },
      { weight: 3, arbitrary: wrongBytes },
      { weight: 2, arbitrary: fc.oneof(deep, crowded, isLarge).map(toBytes) }
    )
  }
}
