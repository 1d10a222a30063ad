class PostsController < ApplicationController
  rescue_from ActiveRecord::ActiveRecordError do |error|
    logger.error(error.message)
    render plain: "Pod #{pod} cannot read its database.\n", status: :service_unavailable
  end

  def index
    @pod = pod
    @posts = Post.order(:id).to_a
    response.headers["Cache-Control"] = "no-store"
  end

  def health
    render plain: "ok\n"
  end

  private

  def pod
    Rails.configuration.x.pod
  end
end
