export type Json = string | number | boolean | null | { [key: string]: Json | undefined } | Json[]

export type Database = {
  
  "public": {
          Tables: {
            "endpoints": {
                  Row: {
                    "created_at": string,"deletions_approved_at": string | null,"description": string | null,"enabled": boolean,"endpoint_config": NonNullable<Json>,"endpoint_type": string,"file_types": Json | null,"id": string,"interval_minutes": number | null,"last_error_code": string | null,"last_error_message": string | null,"last_sync_at": string | null,"last_sync_status": string,"max_files_per_sync": number | null,"name": string,"project_id": string,"schedule_cron": string,"schedule_type": string,"sync_requested_at": string | null,"sync_requested_mode": string | null,"tags": Json | null,"timezone": string,"updated_at": string,"user_id": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"deletions_approved_at"?: string | null,"description"?: string | null,"enabled"?: boolean,"endpoint_config"?: NonNullable<Json>,"endpoint_type": string,"file_types"?: Json | null,"id"?: string,"interval_minutes"?: number | null,"last_error_code"?: string | null,"last_error_message"?: string | null,"last_sync_at"?: string | null,"last_sync_status"?: string,"max_files_per_sync"?: number | null,"name": string,"project_id": string,"schedule_cron"?: string,"schedule_type"?: string,"sync_requested_at"?: string | null,"sync_requested_mode"?: string | null,"tags"?: Json | null,"timezone"?: string,"updated_at"?: string,"user_id": string
                  }
                  Update: {
                    "created_at"?: string,"deletions_approved_at"?: string | null,"description"?: string | null,"enabled"?: boolean,"endpoint_config"?: NonNullable<Json>,"endpoint_type"?: string,"file_types"?: Json | null,"id"?: string,"interval_minutes"?: number | null,"last_error_code"?: string | null,"last_error_message"?: string | null,"last_sync_at"?: string | null,"last_sync_status"?: string,"max_files_per_sync"?: number | null,"name"?: string,"project_id"?: string,"schedule_cron"?: string,"schedule_type"?: string,"sync_requested_at"?: string | null,"sync_requested_mode"?: string | null,"tags"?: Json | null,"timezone"?: string,"updated_at"?: string,"user_id"?: string
                  }
                  Relationships: [
                    
                  ]
                },"files": {
                  Row: {
                    "created_at": string,"deleted_at": string | null,"deletion_reason": string | null,"endpoint_id": string,"external_created_at": string | null,"external_file_id": string,"external_parent_id": string | null,"external_updated_at": string | null,"file_link": string,"file_metadata": Json | null,"file_name": string,"file_path": string | null,"file_size": number | null,"file_type": string | null,"id": string,"mime_type": string | null,"sync_status": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "created_at"?: string,"deleted_at"?: string | null,"deletion_reason"?: string | null,"endpoint_id": string,"external_created_at"?: string | null,"external_file_id": string,"external_parent_id"?: string | null,"external_updated_at"?: string | null,"file_link": string,"file_metadata"?: Json | null,"file_name": string,"file_path"?: string | null,"file_size"?: number | null,"file_type"?: string | null,"id"?: string,"mime_type"?: string | null,"sync_status"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "created_at"?: string,"deleted_at"?: string | null,"deletion_reason"?: string | null,"endpoint_id"?: string,"external_created_at"?: string | null,"external_file_id"?: string,"external_parent_id"?: string | null,"external_updated_at"?: string | null,"file_link"?: string,"file_metadata"?: Json | null,"file_name"?: string,"file_path"?: string | null,"file_size"?: number | null,"file_type"?: string | null,"id"?: string,"mime_type"?: string | null,"sync_status"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "files_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoint_overview"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "files_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoints"
      referencedColumns: ["id"]
    }
                  ]
                },"oauth_tokens": {
                  Row: {
                    "access_token": string,"created_at": string,"endpoint_id": string,"expires_at": string,"generation": number,"grant_type": string,"id": string,"is_active": boolean | null,"needs_reauthorization_at": string | null,"refresh_by": string | null,"refresh_token": string | null,"scope": string | null,"token_type": string | null,"updated_at": string
                  }
                  ComputedFields: never
                  Insert: {
                    "access_token": string,"created_at"?: string,"endpoint_id": string,"expires_at": string,"generation"?: number,"grant_type"?: string,"id"?: string,"is_active"?: boolean | null,"needs_reauthorization_at"?: string | null,"refresh_by"?: string | null,"refresh_token"?: string | null,"scope"?: string | null,"token_type"?: string | null,"updated_at"?: string
                  }
                  Update: {
                    "access_token"?: string,"created_at"?: string,"endpoint_id"?: string,"expires_at"?: string,"generation"?: number,"grant_type"?: string,"id"?: string,"is_active"?: boolean | null,"needs_reauthorization_at"?: string | null,"refresh_by"?: string | null,"refresh_token"?: string | null,"scope"?: string | null,"token_type"?: string | null,"updated_at"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "oauth_tokens_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoint_overview"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "oauth_tokens_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoints"
      referencedColumns: ["id"]
    }
                  ]
                },"sync_logs": {
                  Row: {
                    "due_at": string | null,"endpoint_id": string,"error_code": string | null,"error_message": string | null,"files_added": number,"files_deleted": number,"files_seen": number,"files_skipped": number,"files_unchanged": number,"files_updated": number,"finished_at": string | null,"id": string,"mode": string,"provider_calls": number,"receipt": NonNullable<Json>,"slices": number,"started_at": string,"status": string,"trigger": string
                  }
                  ComputedFields: never
                  Insert: {
                    "due_at"?: string | null,"endpoint_id": string,"error_code"?: string | null,"error_message"?: string | null,"files_added"?: number,"files_deleted"?: number,"files_seen"?: number,"files_skipped"?: number,"files_unchanged"?: number,"files_updated"?: number,"finished_at"?: string | null,"id"?: string,"mode": string,"provider_calls"?: number,"receipt"?: NonNullable<Json>,"slices"?: number,"started_at"?: string,"status"?: string,"trigger": string
                  }
                  Update: {
                    "due_at"?: string | null,"endpoint_id"?: string,"error_code"?: string | null,"error_message"?: string | null,"files_added"?: number,"files_deleted"?: number,"files_seen"?: number,"files_skipped"?: number,"files_unchanged"?: number,"files_updated"?: number,"finished_at"?: string | null,"id"?: string,"mode"?: string,"provider_calls"?: number,"receipt"?: NonNullable<Json>,"slices"?: number,"started_at"?: string,"status"?: string,"trigger"?: string
                  }
                  Relationships: [
                    {
      foreignKeyName: "sync_logs_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoint_overview"
      referencedColumns: ["id"]
    },{
      foreignKeyName: "sync_logs_endpoint_id_fkey"
      columns: ["endpoint_id"]
isOneToOne: false
      referencedRelation: "endpoints"
      referencedColumns: ["id"]
    }
                  ]
                }
          }
          Views: {
            "endpoint_overview": {
                  Row: {
                    "bytes": number,"enabled": boolean,"endpoint_type": string,"files": number,"id": string,"is_running": boolean | null,"last_error_code": string | null,"last_error_message": string | null,"last_sync_at": string | null,"last_sync_status": string,"name": string,"next_sync_at": string | null,"refresh_by": string | null,"token_expires_at": string | null,"token_status": string | null,"user_id": string
                  }
                  ComputedFields: never
                  Relationships: [
                    
                  ]
                }
          }
          Functions: {
            "approve_deletions":
{ Args: { "endpoint_id": string }; Returns: Json
                           },
"connector_absent_items":
{ Args: { "p_lease": Json,"p_limit": number }; Returns: Json
                           },
"connector_begin_consent":
{ Args: { "p_consent": Json }; Returns: undefined
                           },
"connector_begin_refresh":
{ Args: { "p_request": Json }; Returns: Json
                           },
"connector_begin_slice":
{ Args: { "p_leases": Json }; Returns: Json
                           },
"connector_block_calls":
{ Args: { "p_bucket": string,"p_seconds": number }; Returns: undefined
                           },
"connector_claim":
{ Args: { "p_batch": number,"p_endpoint_type"?: string,"p_max_concurrent": number }; Returns: Json
                           },
"connector_commit_changes":
{ Args: { "p_lease": Json,"p_page": Json }; Returns: Json
                           },
"connector_commit_page":
{ Args: { "p_lease": Json,"p_page": Json }; Returns: Json
                           },
"connector_disconnect":
{ Args: { "p_endpoint_id": string,"p_user_id"?: string }; Returns: Json
                           },
"connector_due_refreshes":
{ Args: { "p_limit": number }; Returns: Json
                           },
"connector_fail_refresh":
{ Args: { "p_failure": Json }; Returns: Json
                           },
"connector_finish_slice":
{ Args: { "p_lease": Json,"p_outcome": Json }; Returns: Json
                           },
"connector_health":
{ Args: Record<PropertyKey, never>; Returns: Json
                           },
"connector_note_absences":
{ Args: { "p_lease": Json,"p_verdicts": Json }; Returns: Json
                           },
"connector_open_tasks":
{ Args: { "p_after_id": number,"p_lease": Json,"p_limit": number }; Returns: Json
                           },
"connector_owned_endpoint":
{ Args: { "p_endpoint_id": string,"p_user_id"?: string }; Returns: Json
                           },
"connector_plan_schedules":
{ Args: { "p_plans": Json }; Returns: number
                           },
"connector_quotas":
{ Args: { "p_limit"?: number }; Returns: Json
                           },
"connector_release":
{ Args: { "p_code": string,"p_leases": Json,"p_message": string }; Returns: number
                           },
"connector_renew_lease":
{ Args: { "p_lease": Json }; Returns: boolean
                           },
"connector_start_listing":
{ Args: { "p_lease": Json,"p_start": Json }; Returns: Json
                           },
"connector_store_grant":
{ Args: { "p_grant": Json }; Returns: boolean
                           },
"connector_store_refresh":
{ Args: { "p_refresh": Json }; Returns: boolean
                           },
"connector_store_token":
{ Args: { "p_lease": Json,"p_token": Json }; Returns: undefined
                           },
"connector_sweep":
{ Args: { "p_lease": Json,"p_limit"?: number }; Returns: Json
                           },
"connector_take_calls":
{ Args: { "p_bucket": string,"p_units": number,"p_units_per_minute": number }; Returns: Json
                           },
"connector_take_consent":
{ Args: { "p_consent_id": string }; Returns: Json
                           },
"connector_unplanned_schedules":
{ Args: { "p_limit": number }; Returns: Json
                           },
"request_sync":
{ Args: { "endpoint_id": string,"mode"?: string }; Returns: Json
                           },
"sync_status":
{ Args: { "p_limit"?: number }; Returns: Json
                           }
          }
          Enums: {
            [_ in never]: never
          }
          CompositeTypes: {
            [_ in never]: never
          }
        }
}

type DatabaseWithoutInternals = Omit<Database, '__InternalSupabase'>

type DefaultSchema = DatabaseWithoutInternals[Extract<keyof Database, "public">]

export type Tables<
  DefaultSchemaTableNameOrOptions extends
    | keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
        DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? (DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"] &
      DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Views"])[TableName] extends {
      Row: infer R
    }
    ? R
    : never
  : DefaultSchemaTableNameOrOptions extends keyof (DefaultSchema["Tables"] & DefaultSchema["Views"])
  ? (DefaultSchema["Tables"] & DefaultSchema["Views"])[DefaultSchemaTableNameOrOptions] extends {
      Row: infer R
    }
    ? R
    : never
  : never

export type TablesInsert<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Insert: infer I
    }
    ? I
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Insert: infer I
    }
    ? I
    : never
  : never

export type TablesUpdate<
  DefaultSchemaTableNameOrOptions extends
    | keyof DefaultSchema["Tables"]
    | { schema: keyof DatabaseWithoutInternals },
  TableName extends DefaultSchemaTableNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"]
    : never = never
> = DefaultSchemaTableNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaTableNameOrOptions["schema"]]["Tables"][TableName] extends {
      Update: infer U
    }
    ? U
    : never
  : DefaultSchemaTableNameOrOptions extends keyof DefaultSchema["Tables"]
  ? DefaultSchema["Tables"][DefaultSchemaTableNameOrOptions] extends {
      Update: infer U
    }
    ? U
    : never
  : never

export type Enums<
  DefaultSchemaEnumNameOrOptions extends
    | keyof DefaultSchema["Enums"]
    | { schema: keyof DatabaseWithoutInternals },
  EnumName extends DefaultSchemaEnumNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"]
    : never = never
> = DefaultSchemaEnumNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[DefaultSchemaEnumNameOrOptions["schema"]]["Enums"][EnumName]
  : DefaultSchemaEnumNameOrOptions extends keyof DefaultSchema["Enums"]
  ? DefaultSchema["Enums"][DefaultSchemaEnumNameOrOptions]
  : never

export type CompositeTypes<
  PublicCompositeTypeNameOrOptions extends
    | keyof DefaultSchema["CompositeTypes"]
    | { schema: keyof DatabaseWithoutInternals },
  CompositeTypeName extends PublicCompositeTypeNameOrOptions extends {
    schema: keyof DatabaseWithoutInternals
  }
    ? keyof DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"]
    : never = never
> = PublicCompositeTypeNameOrOptions extends { schema: keyof DatabaseWithoutInternals }
  ? DatabaseWithoutInternals[PublicCompositeTypeNameOrOptions["schema"]]["CompositeTypes"][CompositeTypeName]
  : PublicCompositeTypeNameOrOptions extends keyof DefaultSchema["CompositeTypes"]
  ? DefaultSchema["CompositeTypes"][PublicCompositeTypeNameOrOptions]
  : never

export const Constants = {
  "public": {
          Enums: {
            
          }
        }
} as const
