import { defineConfig } from 'latchwork/migrations'

export default defineConfig({
  dialect: ['postgres', 'mysql', 'sqlite'],
  models: ['models.ts'],
})
