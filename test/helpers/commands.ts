/** Commands for as many devices, each with an operation of its own. */
export const commandsFor = (count: number, name = 'd') => Array.from({ length: count }, (_, n) => ({ imei: `${name}${n}`, micro_op: `op_${n}` }))
