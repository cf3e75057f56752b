using Prodgy.Assistant;

var builder = WebApplication.CreateBuilder(args);

// NSSM starts the program in any folder; the settings lie beside it.
builder.Configuration.SetBasePath(AppContext.BaseDirectory);
builder.Configuration.AddJsonFile("appsettings.json", optional: true);
builder.Configuration.AddJsonFile($"appsettings.{builder.Environment.EnvironmentName}.json", optional: true);
builder.Configuration.AddEnvironmentVariables();

var app = builder.Build();

app.MapGet("/health", (IConfiguration configuration) =>
    Results.Json(new
    {
        status = "ok",
        service = "assistant",
        revision = Release.Revision(configuration, AppContext.BaseDirectory),
    }));

app.MapPost("/suggestions", (SuggestionRequest request) =>
    string.IsNullOrWhiteSpace(request.Text)
        ? Results.Json(new { error = "'text' must not be empty" }, statusCode: 422)
        : Results.Json(new { suggestion = Suggestions.For(request.Text) }));

app.Run();

internal sealed record SuggestionRequest(string? Text);
