import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { insufficientAuthorization, insufficientScope } from '../auth/bearer.js'
import { hasScope, type Claims } from '../auth/claims.js'
import { covers, readGrants, type Grant } from '../auth/grants.js'
import type { ProblemError } from '../errors.js'
import { findUnusableClaim, type TopicTemplate } from '../mqtt/topic.js'
import type { SendBody } from '../schemas/messaging.js'
import { asHook } from './as-hook.js'
import type { Sent } from './mqtt.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the caller of a request may send, and where to. */
    authorization: ReturnType<typeof createAuthorization>
  }
  interface FastifyRequest {
    /** Whether it came to a route with `config.command` or `config.bulk`. */
    isForCommand: boolean
    /** Its body on the routes with `config.command`, from when it was found valid; before, and on others, null. */
    command: SendBody | null
    /** The topic of its command, from when that was authorised; before, and on other routes, empty. */
    topic: string
    /** Its commands on the routes with `config.bulk`, from when they were read; before, and on others, null. */
    items: readonly BulkItem[] | null
  }
  interface FastifyContextConfig {
    /** The body is one command, which the token and the limits must allow. */
    command?: boolean
    /** The body has many commands, each of which the token and the limits must allow. The route reads them into `request.items`. */
    bulk?: boolean
  }
}

/** One of many commands in a body, and what has become of it so far. */
export interface BulkItem {
  /** Null where it is not valid. */
  readonly imei: string | null
  /** Undefined where it is not valid. */
  readonly command: SendBody | undefined
  /** From when it was authorised; before, empty. */
  topic: string
  /** Why it is not published; undefined: nothing is in its way so far. */
  refusal: ProblemError | undefined
  /** From when its outcome is known. */
  sent: Sent | undefined
}

/** What a token must have beside being valid. */
export interface AuthorizationOptions {
  /** Scope that every token must have; undefined: none. */
  readonly scope: string | undefined
  /** Whether a token without `authorization_details` may send nothing, instead of everything. */
  readonly requiresDetails: boolean
  /** Topic of the commands; the claims in it must be in the token. */
  readonly topic: TopicTemplate
  /** Whether to warn where nothing narrows what a token allows. */
  readonly isProduction: boolean
}

/** What a token allows, whatever the command. */
interface Permit {
  /** Makes the refusal of every command; undefined: none is. */
  readonly refuse?: () => ProblemError
  /** What it is narrowed to; undefined: to nothing. */
  readonly grants?: readonly Grant[]
}

const UNLIMITED: Permit = {}

/**
 * Refuses with 403 what the token does not allow, on every route but those with
 * `config.public`: after the body was found valid, before anything is looked up for it.
 * Of many commands in one body each is refused by itself, unless the token allows none at all.
 * What is refused, and how that is said, depends on token and command alone: nobody learns
 * whether a device exists.
 */
export default fp(async (fastify: FastifyInstance, options: AuthorizationOptions) => {
  const { scope, requiresDetails, topic, isProduction } = options
  const authorization = createAuthorization(options)
  fastify.decorate('authorization', authorization)
  fastify.decorateRequest('isForCommand', false)
  fastify.decorateRequest('command', null)
  fastify.decorateRequest('topic', '')
  fastify.decorateRequest('items', null)
  if (isProduction && scope === undefined && !requiresDetails && topic.claimNames.length === 0) {
    fastify.log.warn('every valid token may send every command to every device: ' +
      'JWT_SCOPE, AUTHORIZATION_DETAILS=required or a claim in MQTT_TOPIC would narrow that')
  }

  const authorizeCommand = asHook((request: FastifyRequest) => {
    // The schema of the route has checked it.
    const command = request.body as SendBody
    request.command = command
    request.topic = authorization.authorize(request.user, command)
  })
  const authorizeItems = asHook((request: FastifyRequest) => {
    const { user } = request
    authorization.assertAny(user)
    for (const item of itemsOf(request)) {
      if (item.command === undefined) continue
      item.refusal = authorization.findRefusal(user, item.command)
      if (item.refusal === undefined) item.topic = topic.build(item.command.imei, user)
    }
  })
  const markCommand = asHook(request => { request.isForCommand = true })
  const requireScope = asHook(request => { authorization.assertScope(request.user) })

  fastify.addHook('onRoute', route => {
    if (route.config?.public === true) return
    const isForMany = route.config?.bulk === true
    const isForCommand = isForMany || route.config?.command === true
    // Before the token is looked at. To ask `request.routeOptions` makes an object each time.
    if (isForCommand) route.onRequest = [markCommand, route.onRequest].flat().filter(hook => hook !== undefined)
    const authorizeAll = isForMany ? authorizeItems : authorizeCommand
    route.preHandler = [...[route.preHandler ?? []].flat(), isForCommand ? authorizeAll : requireScope]
  })
}, { name: 'authorization', dependencies: ['auth', 'error-handler'] })

/** Whether a command is valid, and nothing is in its way so far. */
export function isPublishable (item: BulkItem): item is BulkItem & { readonly command: SendBody } {
  return item.command !== undefined && item.refusal === undefined
}

/** The commands of a request that came to a route with `config.bulk`. */
export function itemsOf ({ items }: FastifyRequest): BulkItem[] {
  return [items].flat().filter(item => item !== null)
}

function createAuthorization ({ scope, requiresDetails, topic }: AuthorizationOptions) {
  // A token is read once: `auth` remembers its claims for as long as it is in use.
  const permits = new WeakMap<Claims, Permit>()
  const asksNothing = scope === undefined && !requiresDetails && topic.claimNames.length === 0

  function permitOf (claims: Claims): Permit {
    if (asksNothing && claims.authorization_details === undefined) return UNLIMITED
    let permit = permits.get(claims)
    if (permit === undefined) {
      permit = readPermit(claims)
      permits.set(claims, permit)
    }
    return permit
  }

  function readPermit (claims: Claims): Permit {
    if (scope !== undefined && !hasScope(claims, scope)) return { refuse: () => insufficientScope(scope) }
    const claim = findUnusableClaim(topic, claims)
    if (claim !== undefined) {
      return { refuse: () => insufficientAuthorization(`The access token lacks the claim ${claim}, a text of 1-64 of 0-9 A-Z a-z _ . -`) }
    }
    const { authorization_details: details } = claims
    if (details !== undefined) return { grants: readGrants(details) }
    return requiresDetails ? { refuse: () => insufficientAuthorization('The access token lacks the claim authorization_details') } : UNLIMITED
  }

  /** Why a token does not allow a command; undefined: it does. */
  function findRefusal (claims: Claims, { imei, micro_op: microOp }: Pick<SendBody, 'imei' | 'micro_op'>): ProblemError | undefined {
    const { refuse, grants } = permitOf(claims)
    if (refuse !== undefined) return refuse()
    if (grants === undefined || covers(grants, imei, microOp)) return undefined
    return insufficientAuthorization(`The access token lacks authorization_details of type messaging for identifier ${imei} and action ${microOp}`)
  }

  return {
    findRefusal,

    /**
     * Looks whether a token allows a command.
     * @returns the topic that the command goes to
     * @throws {ProblemError} `insufficient_scope` or `insufficient_authorization` (403), saying what the token lacks
     */
    authorize (claims: Claims, command: Pick<SendBody, 'imei' | 'micro_op'>): string {
      const refusal = findRefusal(claims, command)
      if (refusal !== undefined) throw refusal
      return topic.build(command.imei, claims)
    },

    /** @throws {ProblemError} `insufficient_scope` or `insufficient_authorization` (403) where a token allows no command at all */
    assertAny (claims: Claims): void {
      const { refuse } = permitOf(claims)
      if (refuse !== undefined) throw refuse()
    },

    /** @throws {ProblemError} `insufficient_scope` (403) where a token lacks `JWT_SCOPE` */
    assertScope (claims: Claims): void {
      if (scope !== undefined && !hasScope(claims, scope)) throw insufficientScope(scope)
    }
  }
}
