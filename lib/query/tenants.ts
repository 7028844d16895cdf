import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigurationError, TenantRequiredError } from '../errors.js'
import { kindOf } from '../model/value-kind.js'

/** What identifies a tenant. */
export type TenantId = string | number | bigint

/** Stands for all of them. */
export const ALL_TENANTS: unique symbol = Symbol('all tenants')

/** What is asked of the field that holds a tenant. */
interface TenantField {
  readonly name: string
  /** What is wrong with a value; undefined: nothing. */
  readonly checkComparison: (value: unknown) => string | undefined
}

/** For whom a call is made on one database, and what is around that. */
interface TenantScope {
  readonly owner: object
  readonly tenant: TenantId | typeof ALL_TENANTS
  readonly enclosing: TenantScope | undefined
}

const storage = new AsyncLocalStorage<TenantScope>()

/** For which tenant the calls on one database are made. */
export class Tenants {
  /**
   * Runs `fn` so that all calls below it are made for a tenant.
   *
   * @throws {ConfigurationError} not a text, number or bigint
   */
  with<T>(tenant: TenantId, fn: () => Promise<T>): Promise<T> {
    const isTenant = typeof tenant === 'string' ? tenant !== '' : typeof tenant === 'number' || typeof tenant === 'bigint'
    if (!isTenant)
      throw new ConfigurationError(
        'tenant',
        `expected a text, a number or a bigint, got ${tenant === '' ? 'an empty text' : kindOf(tenant)}`,
      )
    return this.#run(tenant, fn)
  }

  /** Runs `fn` so that all calls below it are made for all tenants. */
  across<T>(fn: () => Promise<T>): Promise<T> {
    return this.#run(ALL_TENANTS, fn)
  }

  /**
   * The tenant that a call on `model` is made for, as its field holds it.
   *
   * @throws {TenantRequiredError} nobody has said
   * @throws {ConfigurationError} it is of another type than the field
   */
  of(model: string, field: TenantField): unknown {
    const scope = this.#scope
    if (scope === undefined) throw new TenantRequiredError(model, `needs a tenant; put db.withTenant around the call`)
    if (scope.tenant === ALL_TENANTS) return ALL_TENANTS
    const problem = field.checkComparison(scope.tenant)
    if (problem !== undefined) throw new ConfigurationError('tenant', `${model}.${field.name}: ${problem}`)
    return scope.tenant
  }

  /** The tenant that is said around the call, whatever it is made on; undefined where there is none, or all. */
  get current(): TenantId | undefined {
    const tenant = this.#scope?.tenant
    return tenant === ALL_TENANTS ? undefined : tenant
  }

  get #scope(): TenantScope | undefined {
    let scope = storage.getStore()
    while (scope !== undefined && scope.owner !== this) scope = scope.enclosing
    return scope
  }

  async #run<T>(tenant: TenantScope['tenant'], fn: () => Promise<T>): Promise<T> {
    return storage.run({ owner: this, tenant, enclosing: storage.getStore() }, fn)
  }
}
