//! The common offer over Streamable HTTP.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    error::Error,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams,
        CompleteResult, ErrorCode, GetPromptRequestParams, GetPromptResponse, GetPromptResult,
        InitializeRequestParams, InitializeResult, InputRequiredResult, InputResponses,
        ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
        LoggingLevel, PaginatedRequestParams, ProtocolVersion, ReadResourceRequestParams,
        ReadResourceResponse, ReadResourceResult, ServerConfig, SetLevelRequestParams,
        SubscribeRequestParams, SubscriptionFilter, Tool,
    },
    service::{RequestContext, ServiceError, SubscriptionContext, SubscriptionSink},
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::local::LocalSessionManager,
    },
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify};

use crate::{of, offer, result};

/// What all sessions share.
#[derive(Default)]
struct Shared {
    /// Of each client: how many of its calls wait now, and how many it has cancelled.
    waiting: Mutex<HashMap<String, (u32, u32)>>,
    /// Of each client: a gate that lets one report of progress pass at a time.
    gates: Mutex<HashMap<String, Arc<Notify>>>,
    subscriptions: Mutex<Vec<SubscriptionSink>>,
}

/// One session, or one request of a client that has none.
struct Common {
    takes_handshakes: bool,
    shared: Arc<Shared>,
    /// What `logging/setLevel` asked for.
    level: Mutex<Option<LoggingLevel>>,
}

type Context = RequestContext<RoleServer>;

/// Serves until the process is killed.
pub async fn serve(posture: &str) -> Result<(), Box<dyn Error>> {
    let takes_handshakes = posture != "modern";
    let shared = Arc::new(Shared::default());
    let config =
        StreamableHttpServerConfig::default().with_legacy_session_mode(posture == "sessions");
    let service = StreamableHttpService::new(
        move || Ok(Common { takes_handshakes, shared: shared.clone(), level: Mutex::default() }),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("url http://{}/mcp", listener.local_addr()?);
    Ok(axum::serve(listener, Router::new().nest_service("/mcp", service)).await?)
}

fn is_modern(context: &Context) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

fn text(value: impl ToString) -> CallToolResult {
    result(json!({"content": [{"type": "text", "text": value.to_string()}]}))
}

fn failed(error: ServiceError) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

impl ServerHandler for Common {
    fn get_info(&self) -> ServerConfig {
        let changes = json!({"listChanged": true});
        of(json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {
                "logging": {}, "completions": {}, "tools": changes, "prompts": changes,
                "resources": {"listChanged": true, "subscribe": true},
            },
            "serverInfo": {"name": "common", "version": "1.0.0"},
            "instructions": "What every server offers.",
        }))
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        if self.takes_handshakes {
            Cow::Borrowed(ProtocolVersion::KNOWN_VERSIONS)
        } else {
            Cow::Owned(vec![ProtocolVersion::V_2026_07_28])
        }
    }

    async fn initialize(
        &self,
        request: InitializeRequestParams,
        context: Context,
    ) -> Result<InitializeResult, ErrorData> {
        if !self.takes_handshakes {
            return Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                "there is no handshake here",
                None,
            ));
        }
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        context: Context,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(result(json!({"tools": offer::tools(is_modern(&context))})))
    }

    fn get_tool(&self, name: &str) -> Option<Tool> {
        of::<Vec<Tool>>(offer::tools(true)).into_iter().find(|tool| tool.name == name)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: Context,
    ) -> Result<CallToolResponse, ErrorData> {
        if let Some(kinds) = offer::questions_of(&request.name) {
            return Ok(match ask_all(&kinds, request.input_responses, &context).await? {
                Asked::Answers(answers) => text(answers).into(),
                Asked::Questions(questions) => questions.into(),
            });
        }
        let arguments = Value::Object(request.arguments.clone().unwrap_or_default());
        let argument = |name: &str| arguments[name].as_str().unwrap_or_default().to_owned();
        let answer = match &*request.name {
            "echo" => text(argument("text")),
            "region" => text(argument("region")),
            "structured" => result(json!({
                "content": [{"type": "text", "text": "{\"sum\":42}"}],
                "structuredContent": {"sum": 42},
            })),
            "picture" => result(
                json!({"content": [{"type": "image", "data": "iVBORw==", "mimeType": "image/png"}]}),
            ),
            "fail" => {
                result(json!({"content": [{"type": "text", "text": "it failed"}], "isError": true}))
            }
            "progress" => self.progress(&argument("who"), &context).await?,
            "go" => {
                self.gate(&argument("who")).notify_one();
                text("going")
            }
            "numbers" if is_modern(&context) => result(json!({"structuredContent": [1, 2, 3]})),
            "numbers" => text("[1,2,3]"),
            "reports" => return self.reports(&argument("who"), &request, &context).await,
            "log" => self.log(&context).await?,
            "wait" => self.wait(&argument("who"), &context).await,
            "waits" => self.waits(&argument("who")),
            "rounds" => return rounds(&request, &context).await,
            "change" => self.change(&argument("what"), &context).await?,
            other => return Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        };
        Ok(answer.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: Context,
    ) -> Result<ListPromptsResult, ErrorData> {
        Ok(result(
            json!({"prompts": [{"name": "greet", "arguments": [{"name": "whom", "required": true}]}, {"name": "asking"}]}),
        ))
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        context: Context,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let whom = match request.name.as_str() {
            "greet" => arguments["whom"].as_str().unwrap_or_default().to_owned(),
            "asking" => match ask_all(&["form"], request.input_responses, &context).await? {
                Asked::Answers(answers) => name_in(&answers),
                Asked::Questions(questions) => return Ok(questions.into()),
            },
            other => return Err(ErrorData::invalid_params(format!("no prompt {other}"), None)),
        };
        let words = format!("Say hello to {whom}");
        let message = json!({"role": "user", "content": {"type": "text", "text": words}});
        Ok(result::<GetPromptResult>(json!({"messages": [message]})).into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        let names =
            offer::PEOPLE.into_iter().filter(|name| name.starts_with(&request.argument.value));
        Ok(result(json!({"completion": {"values": names.collect::<Vec<_>>()}})))
    }

    async fn list_resources(
        &self,
        request: Option<PaginatedRequestParams>,
        _context: Context,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(result(offer::resources(request.and_then(|page| page.cursor).as_deref())))
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: Context,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        Ok(result(
            json!({"resourceTemplates": [{"uriTemplate": "note:///{whose}", "name": "note"}]}),
        ))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: Context,
    ) -> Result<ReadResourceResponse, ErrorData> {
        if request.uri == "asking:///" {
            return match ask_all(&["form"], request.input_responses, &context).await? {
                Asked::Answers(answers) => {
                    let words = format!("a note of {}", name_in(&answers));
                    let contents = json!({"contents": [{"uri": request.uri, "text": words}]});
                    Ok(result::<ReadResourceResult>(contents).into())
                }
                Asked::Questions(questions) => Ok(questions.into()),
            };
        }
        let contents = offer::contents(&request.uri).ok_or_else(|| {
            ErrorData::resource_not_found(format!("no resource {}", request.uri), None)
        })?;
        Ok(result::<ReadResourceResult>(contents).into())
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: Context,
    ) -> Result<(), ErrorData> {
        *self.level.lock().unwrap() = Some(request.level);
        Ok(())
    }

    async fn subscribe(
        &self,
        _request: SubscribeRequestParams,
        _context: Context,
    ) -> Result<(), ErrorData> {
        Ok(())
    }

    fn accepted_subscription_filter(
        &self,
        requested: &SubscriptionFilter,
    ) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, context: SubscriptionContext) -> Result<(), ErrorData> {
        self.shared.subscriptions.lock().unwrap().push(context.sink().clone());
        context.cancelled().await;
        self.shared.subscriptions.lock().unwrap().retain(|sink| sink.id() != context.sink().id());
        Ok(())
    }
}

enum Asked {
    /// By the kind of question.
    Answers(Value),
    /// What a modern client has to be asked first.
    Questions(InputRequiredResult),
}

/// What the client answers: in the retry of a modern request, or now in the middle of a legacy one.
async fn ask_all(
    kinds: &[&str],
    responses: Option<InputResponses>,
    context: &Context,
) -> Result<Asked, ErrorData> {
    if is_modern(context) {
        return Ok(match responses {
            Some(answers) => Asked::Answers(json!(answers)),
            None => Asked::Questions(input_required(kinds, None)),
        });
    }
    let mut answers = BTreeMap::new();
    for kind in kinds {
        answers.insert(*kind, ask(kind, context).await.map_err(failed)?);
    }
    Ok(Asked::Answers(json!(answers)))
}

/// What the form was filled in with.
fn name_in(answers: &Value) -> String {
    answers["form"]["content"]["name"].as_str().unwrap_or_default().to_owned()
}

async fn ask(kind: &str, context: &Context) -> Result<Value, ServiceError> {
    let params = offer::question(kind)["params"].clone();
    let answer = match kind {
        "sampling" => json!(context.peer.create_message(of(params)).await?),
        "roots" => json!(context.peer.list_roots().await?),
        _ => json!(context.peer.create_elicitation(of(params)).await?),
    };
    Ok(answer)
}

fn input_required(kinds: &[&str], state: Option<String>) -> InputRequiredResult {
    let questions: BTreeMap<&str, Value> =
        kinds.iter().map(|kind| (*kind, offer::question(kind))).collect();
    of(json!({"resultType": "input_required", "inputRequests": questions, "requestState": state}))
}

/// Asks three times in one call.
async fn rounds(
    request: &CallToolRequestParams,
    context: &Context,
) -> Result<CallToolResponse, ErrorData> {
    if !is_modern(context) {
        for _ in 0..3 {
            ask("form", context).await.map_err(failed)?;
        }
        return Ok(text("3 rounds").into());
    }
    let done: u8 = request.request_state.as_deref().map_or(0, |state| state.parse().unwrap_or(0));
    if done == 3 {
        return Ok(text("3 rounds").into());
    }
    Ok(input_required(&["form"], Some((done + 1).to_string())).into())
}

impl Common {
    fn gate(&self, who: &str) -> Arc<Notify> {
        self.shared.gates.lock().unwrap().entry(who.to_owned()).or_default().clone()
    }

    async fn progress(&self, who: &str, context: &Context) -> Result<CallToolResult, ErrorData> {
        for done in [1, 2] {
            self.report(done, who, context).await?;
        }
        Ok(text("done"))
    }

    /// Reports once before its question and once after it.
    async fn reports(
        &self,
        who: &str,
        request: &CallToolRequestParams,
        context: &Context,
    ) -> Result<CallToolResponse, ErrorData> {
        if request.input_responses.is_none() {
            self.report(1, who, context).await?;
            if is_modern(context) {
                return Ok(input_required(&["form"], None).into());
            }
            ask("form", context).await.map_err(failed)?;
        }
        self.report(2, who, context).await?;
        Ok(text("done").into())
    }

    /// Reports progress, and waits until the client has heard of it: one read together with the
    /// result may be dropped.
    async fn report(&self, done: u8, who: &str, context: &Context) -> Result<(), ErrorData> {
        let token = context.meta.get_progress_token();
        let report = json!({"progressToken": token, "progress": done, "total": 2});
        context.peer.notify_progress(of(report)).await.map_err(failed)?;
        self.gate(who).notified().await;
        Ok(())
    }

    async fn log(&self, context: &Context) -> Result<CallToolResult, ErrorData> {
        let wanted = if is_modern(context) {
            context.meta.log_level()
        } else {
            Some(self.level.lock().unwrap().unwrap_or(LoggingLevel::Debug))
        };
        for level in [LoggingLevel::Debug, LoggingLevel::Error] {
            if wanted.is_some_and(|wanted| level as u8 >= wanted as u8) {
                let message = json!({"level": level, "data": level});
                context.peer.notify_logging_message(of(message)).await.map_err(failed)?;
            }
        }
        Ok(text("logged"))
    }

    async fn wait(&self, who: &str, context: &Context) -> CallToolResult {
        self.shared.waiting.lock().unwrap().entry(who.to_owned()).or_default().0 += 1;
        let counts = Waits { shared: &self.shared, who };
        tokio::select! {
            () = context.ct.cancelled() => {}
            () = tokio::time::sleep(Duration::from_secs(60)) => std::mem::forget(counts),
        }
        text("waited")
    }

    fn waits(&self, who: &str) -> CallToolResult {
        let (now, cancelled) =
            self.shared.waiting.lock().unwrap().get(who).copied().unwrap_or_default();
        text(json!({"now": now, "cancelled": cancelled}))
    }

    async fn change(&self, what: &str, context: &Context) -> Result<CallToolResult, ErrorData> {
        let subscriptions = self.shared.subscriptions.lock().unwrap().clone();
        for sink in subscriptions {
            // One that is gone or did not ask for this is none of this call's business.
            let _ = match what {
                "tools" => sink.notify_tool_list_changed().await,
                "prompts" => sink.notify_prompt_list_changed().await,
                "resources" => sink.notify_resource_list_changed().await,
                _ => sink.notify_resource_updated("memo:///1").await,
            };
        }
        if !is_modern(context) {
            let peer = &context.peer;
            match what {
                "tools" => peer.notify_tool_list_changed().await,
                "prompts" => peer.notify_prompt_list_changed().await,
                "resources" => peer.notify_resource_list_changed().await,
                _ => peer.notify_resource_updated(of(json!({"uri": "memo:///1"}))).await,
            }
            .map_err(failed)?;
        }
        Ok(text(format!("{what} changed")))
    }
}

/// A call that waits; it was cancelled when this is dropped.
struct Waits<'a> {
    shared: &'a Shared,
    who: &'a str,
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        let mut waiting = self.shared.waiting.lock().unwrap();
        let (now, cancelled) = waiting.entry(self.who.to_owned()).or_default();
        (*now, *cancelled) = (*now - 1, *cancelled + 1);
    }
}
