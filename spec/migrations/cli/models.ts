/** A file that exports one model, `User`, with these decorated fields besides its id. */
export function userModel(fields = '', options = ''): string {
  return `import { field, type Generated, id, model } from 'latchwork'

@model(${options})
export class User {
  @id() id!: Generated<number>
  @field.text({ maxLength: 320, unique: true }) email!: string
  ${fields}
}
`
}

/** A configuration in TypeScript, for the models of {@link userModel}. */
export function configText(dialect: string | readonly string[], more = ''): string {
  return `import { defineConfig } from 'latchwork/migrations'

export default defineConfig({ dialect: ${JSON.stringify(dialect)}, models: ['models/*.ts'], ${more} })
`
}

/** The files of a project whose models are TypeScript. */
export function shop(dialect: string | readonly string[], fields = ''): Readonly<Record<string, string>> {
  return { 'latchwork.config.ts': configText(dialect), 'models/user.ts': userModel(fields) }
}

export const NICK = '@field.text({ maxLength: 40, nullable: true }) nick!: string | null'
export const HANDLE = '@field.text({ maxLength: 40, nullable: true }) handle!: string | null'
